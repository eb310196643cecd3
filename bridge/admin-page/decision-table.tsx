// A table of decisions, for the search and for the examples of a shadow report.
import type { Decision } from "../catalogue/admin-api.js";
import { Foreign, Hash, IdLink, Table, Time } from "./parts.js";
import { decisionsAddress } from "./route.js";
import { count } from "./text.js";

interface DecisionTableProps {
  readonly caption: string;
  readonly decisions: readonly Decision[];
  readonly none: string;
}

export function DecisionTable({ caption, decisions, none }: DecisionTableProps) {
  return (
    <Table
      caption={caption}
      isCaptionHidden
      columns={["When", "Module", "Outcome", "About", "Reason", "Where"]}
      none={none}
      rows={decisions.map((decision) => ({
        key: decision.id,
        cells: [
          <When key="when" decision={decision} />,
          <Decided key="module" decision={decision} />,
          <Outcome key="outcome" decision={decision} />,
          <About key="about" decision={decision} />,
          <Reason key="reason" decision={decision} />,
          <Where key="where" decision={decision} />,
        ],
      }))}
    />
  );
}

interface Of {
  readonly decision: Decision;
}

function When({ decision: { ts, last_ts, count: times } }: Of) {
  if (times === 1) return <Time ts={ts} />;
  return (
    <>
      <Time ts={last_ts} />
      <small>
        {count(times)} times since <Time ts={ts} />
      </small>
    </>
  );
}

function Decided({ decision: { module, callback } }: Of) {
  return (
    <>
      <a href={decisionsAddress({ module })}>{module}</a>
      <small>
        <code>{callback}</code>
      </small>
    </>
  );
}

function Outcome({ decision: { outcome, answer, really } }: Of) {
  return (
    <>
      <span class={`badge outcome-${outcome.replace(/[^a-z_]/g, "")}`}>{outcome.replaceAll("_", " ")}</span>
      {answer !== undefined && (
        <small>
          <Foreign text={answer} />
        </small>
      )}
      {really !== undefined && <small>really: {really}</small>}
    </>
  );
}

function About({ decision: { user, room, event } }: Of) {
  if (user === undefined && room === undefined && event === undefined) return <>–</>;
  return (
    <ul class="ids">
      {user !== undefined && (
        <li>
          <IdLink id={user} what="user" href={decisionsAddress({ user })} />
        </li>
      )}
      {room !== undefined && (
        <li>
          <IdLink id={room} what="room" href={decisionsAddress({ room })} />
        </li>
      )}
      {event !== undefined && (
        <li>
          <IdLink id={event} what="event" href={decisionsAddress({ event })} />
        </li>
      )}
    </ul>
  );
}

function Reason({ decision: { reason, details } }: Of) {
  if (reason === undefined && details === undefined) return <>–</>;
  return (
    <>
      {reason !== undefined && <Foreign text={reason} />}
      {details !== undefined && (
        <small>
          <Foreign text={JSON.stringify(details)} />
        </small>
      )}
    </>
  );
}

function Where({ decision: { process, files, config } }: Of) {
  return (
    <>
      {process}
      <small class="one-line">
        files <Hash hash={files} />
      </small>
      <small class="one-line">
        config <Hash hash={config} />
      </small>
    </>
  );
}
