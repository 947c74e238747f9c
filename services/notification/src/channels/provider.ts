/** A message ready to go. */
export type Outgoing = {
  id: string
  /** E-mail address, E.164 number or push endpoint. */
  to: string
  subject: string
  html: string
  text: string
  /** Where a push notification leads; may be empty. */
  link: string
  /** E-mail: stops messages of this kind. */
  unsubscribe?: { url: string; postUrl?: string | undefined } | undefined
  /** Push: the subscription's keys. */
  keys?: { p256dh: string; auth: string } | undefined
  /** Of no use after this. */
  ttlSeconds: number
}

/** One way to send by one channel. A resolved `send` means that the provider has taken the message over. */
export type Provider = {
  name: string
  send(message: Outgoing): Promise<{ providerId: string }>
  close?(): Promise<void> | void
}

/** Longest time one `send` may take. */
export const SEND_TIMEOUT_MS = 20_000

/**
 * The provider did not take the message. `permanent`: it never will; otherwise another attempt may go well. The message holds
 * status and code only, since a provider's words may repeat an address.
 */
export class ProviderError extends Error {
  readonly permanent: boolean
  readonly retryAfterSeconds: number
  /** The address does not exist any more. */
  readonly gone: boolean

  constructor(
    message: string,
    options: { permanent?: boolean; retryAfterSeconds?: number; gone?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause })
    this.name = 'ProviderError'
    this.permanent = options.permanent ?? false
    this.retryAfterSeconds = options.retryAfterSeconds ?? 0
    this.gone = options.gone ?? false
  }
}
