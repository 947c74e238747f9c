/** A store that cannot be brought up here; the message says what to do about it. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
}
