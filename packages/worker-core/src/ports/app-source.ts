/** Where the deployed app comes from (docs/reference/protocol.md, App artifact). */
export interface AppSource {
  /**
   * Brings the app's files into place, once; does nothing where there is none to bring. When it resolves they are all there.
   *
   * @throws AppError when they can't be brought.
   */
  prepare(signal: AbortSignal): Promise<void>;
}
