import { createSealer } from '../seal.ts'
import type { Envelope } from './envelope.ts'
import { withoutSensitive } from './sensitive.ts'

/**
 * Personal data of events is readable in nobody's queue, dead letters or archive: from publishing on, `data` is without the fields
 * that the contract marks as sensitive, and `sealed` is the whole of it, encrypted. Forgetting somebody takes `sealed` away.
 */
export type EventSealer = {
  /** The event as it is published: sealed when its contract has sensitive fields, else as it is. */
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
      const stripped = withoutSensitive(envelope)
      const plain = JSON.stringify(envelope.data)
      return JSON.stringify(stripped.data) === plain
        ? envelope
        : { ...stripped, sealed: sealer.seal(plain, envelope.eventId) }
    },
    open({ sealed, ...envelope }) {
      if (sealed === undefined) return envelope
      const plain = sealer.open(sealed, envelope.eventId)
      return plain === undefined ? undefined : { ...envelope, data: JSON.parse(plain) }
    },
  }
}
