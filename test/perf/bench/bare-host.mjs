// Answers the questions of bare_bridge.py. It has the policy of policy.ts.
let rest = "";
process.stdin.setEncoding("utf8").on("data", (text) => {
  const lines = (rest + text).split("\n");
  rest = lines.pop();
  for (const line of lines) {
    const { id, params } = JSON.parse(line);
    const { body } = params.event.content;
    const result = typeof body === "string" && body.includes("casino") ? "M_FORBIDDEN" : "NOT_SPAM";
    process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, result })}\n`);
  }
});
