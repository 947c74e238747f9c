import { createSealer } from '../seal.ts'
import type { Envelope } from './envelope.ts'
import { merge, splitEvent } from './sensitive.ts'

/**
 * Personal data of events is readable in nobody's queue, dead letters or archive: from publishing on, `data` is without the fields
 * that the contract marks as sensitive, and `sealed` has these, encrypted. Forgetting somebody takes `sealed` away.
 */
export type EventSealer = {
  /** The event as it is published: sealed when it has sensitive fields, else as it is. */
  seal(envelope: Envelope): Envelope
  /** The event as its handler gets it; undefined when it was sealed with a secret that is not ours. */
  open(envelope: Envelope): Envelope | undefined
}

/** All services have the same secrets (EVENT_SECRET): the first seals, all of them open. */
export function createEventSealer(secrets: readonly string[]): EventSealer {
  const sealer = createSealer(secrets, 'haat.events')
  return {
    seal(envelope) {
      // What comes out of the archive again is sealed already.
      if (envelope.sealed !== undefined) return envelope
      const { plain, secret } = splitEvent(envelope)
      if (secret === undefined) return envelope
      return { ...envelope, data: plain, sealed: sealer.seal(JSON.stringify(secret), envelope.eventId) }
    },
    open({ sealed, ...envelope }) {
      if (sealed === undefined) return envelope
      const secret = sealer.open(sealed, envelope.eventId)
      return secret === undefined ? undefined : { ...envelope, data: merge(envelope.data, JSON.parse(secret)) }
    },
  }
}
