// Refuses words that do not exist, with the one that was probably meant: whoever misspells an option would wait for its effect.
import { didYouMean } from "./nearest.js";

/** Throws a TypeError for the first key of `given` that `known` does not have. `where` begins the message. */
export function checkKeys(where: string, given: object, known: object): void {
  for (const key of Object.keys(given)) checkWord(where, "key", key, Object.keys(known));
}

/** Throws a TypeError for a word that is not among the known ones. `what` says what kind of word it is. */
export function checkWord(where: string, what: string, word: string, known: Iterable<string>): void {
  const all = [...known];
  if (!all.includes(word))
    throw new TypeError(`${where}: there is no ${what} ${word}${didYouMean(word, all)}`);
}
