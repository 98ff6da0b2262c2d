/** Cuts a text stream into lines and parses each as JSON. */
export class JsonLines {
  #rest = '';

  push(text: string, onValue: (value: unknown) => void): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') onValue(JSON.parse(line));
  }
}
