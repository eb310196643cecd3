// Each answer that the tests on a real Synapse give by mistake is refused, whatever the policy.
import { expect, test } from "@jest/globals";
import { readAnswer, UnfitAnswer } from "../../../../bridge/calls/answer.js";
import { type Callback, catalogue } from "../../../../bridge/catalogue/catalogue.js";
import { unfitAnswers } from "../../../support/unfit-answers.js";

// What they return is ignored.
const ignored = ["Edits", "Nothing"];
const cases = Object.entries(unfitAnswers)
  .filter(([result]) => !ignored.includes(result))
  .flatMap(([result, answers]) => answers.map((answer) => [result, answer] as const));

test.each(cases)("%s is not %j", (result, answer) => {
  const callback = { name: "some_callback", result } as Callback;
  const read = () =>
    readAnswer(
      callback,
      answer,
      catalogue(),
      () => {},
      () => false,
    );
  expect(read).toThrow(UnfitAnswer);
});
