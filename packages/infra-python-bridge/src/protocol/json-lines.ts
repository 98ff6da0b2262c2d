/** Longest line. Python's events are shorter, as it cuts the error texts in them. */
const longestLine = 4 * 1024 * 1024;

/** Cuts a text stream into lines and parses each as JSON. Throws for what is none, and for a line without an end. */
export class JsonLines {
  #rest = '';

  push(text: string, onValue: (value: unknown) => void): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > longestLine) throw new Error('a line has no end');
    for (const line of lines) if (line !== '') onValue(JSON.parse(line));
  }
}
