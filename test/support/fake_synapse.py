"""What the bridge uses of Synapse, without one."""

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

from synapse.logging.context import (  # type: ignore[attr-defined] # LoggingContext is Rust's now
    LoggingContext,
    PreserveLoggingContext,
    run_in_background,
)
from synapse.module_api import ModuleApi
from synapse_module_bridge.schema.catalogue import CALLBACKS

# What Synapse itself takes for background updates.
OWN = SimpleNamespace(
    default_background_batch_size=71,
    minimum_background_batch_size=72,
    update_duration_ms=73,
    sleep_enabled=True,
    sleep_duration_ms=1,
)


class Api:
    """What the bridge uses of Synapse's ModuleApi."""

    server_name = "test"
    worker_name = None
    worker_app = None
    public_baseurl = "https://test/"
    email_app_name = "Matrix"

    def __init__(self) -> None:
        self.callbacks: dict[str, Any] = {}
        # By path.
        self.web_resources: dict[str, Any] = {}
        self.cached_functions: dict[str, Any] = {}
        self._hs = self
        self.config = SimpleNamespace(key=SimpleNamespace(macaroon_secret_key=b"secret"))
        self.public_room_list_manager = self
        self.published: set[str] = set()
        for category in {callback.category for callback in CALLBACKS.values()}:
            name = f"register_{category}_callbacks"
            setattr(self, name, _Register(getattr(ModuleApi, name), self.callbacks))

    def get_datastores(self) -> Any:
        return SimpleNamespace(databases=[SimpleNamespace(name=lambda: "master", updates=OWN)])

    async def sleep(self, seconds: float) -> None:
        assert seconds == OWN.sleep_duration_ms / 1000

    async def room_is_in_public_room_list(self, room_id: str) -> bool:
        return room_id in self.published

    async def get_room_state(self, room_id: str) -> Any:
        return {}

    def get_instance_id(self) -> str:
        return "test"

    def register_cached_function(self, cached_func: Any) -> None:
        self.cached_functions[f"{cached_func.__module__}.{cached_func.__name__}"] = cached_func

    async def invalidate_cache(self, cached_func: Any, keys: tuple[Any, ...]) -> None:
        """As Synapse on SQLite."""
        cached_func.invalidate(keys)

    def register_web_resource(self, path: str, resource: Any) -> None:
        self.web_resources[path] = resource

    def register_sighup(self, *_: Any, **__: Any) -> None:
        pass

    def should_run_background_tasks(self) -> bool:
        return True

    def is_mine(self, id: str) -> bool:
        return id.endswith(":test")

    def run_as_background_process(self, desc: str, func: Callable[[], Awaitable[None]]) -> Any:
        async def process() -> None:
            with LoggingContext(name=desc, server_name="test"):
                await func()

        # As Synapse does: it must not end in the context of a request that is over.
        with PreserveLoggingContext():
            return run_in_background(process)


class _Register:
    def __init__(self, original: Any, callbacks: dict[str, Any]) -> None:
        self.__wrapped__ = original
        self._callbacks = callbacks

    def __call__(self, **callbacks: Any) -> None:
        # Synapse keeps the functions, and not the dict that they come in.
        self._callbacks.update({name: dict(f) if isinstance(f, dict) else f for name, f in callbacks.items()})
