import { z } from 'zod'
import { type Call, currentCall } from '../call.ts'
import { newId } from '../id.ts'
import { type EventDefinition, type EventMessage, eventOf } from './definition.ts'

const schema = z.object({
  /** UUIDv7; consumers recognise duplicates by it. */
  eventId: z.uuid(),
  type: z.string(),
  version: z.int().positive(),
  /** ISO 8601, when the publisher's state changed. */
  occurredAt: z.iso.datetime(),
  /** On whose behalf; a `system` actor is a service acting by itself. */
  actor: z.object({ type: z.enum(['user', 'system', 'service']), id: z.string() }),
  /** `sequence` grows with every event of the same aggregate; gaps are normal. */
  aggregate: z.object({ type: z.string(), id: z.string(), sequence: z.int() }),
  /** The event's message as proto JSON. */
  data: z.unknown(),
  /** The fields that the contract marks as sensitive, encrypted: `data` is without them (sealed.ts). */
  sealed: z.string().optional(),
  trace: z.object({ requestId: z.string(), correlationId: z.string(), causationId: z.string().optional() }),
})

/** An event as it travels: JSON on the wire, the same for every type. */
export type Envelope = z.infer<typeof schema>

/** What a handler gets. */
export type Event<Data> = { data: Data; envelope: Envelope }

const MAX_BYTES = 1024 * 1024

/**
 * An event's envelope; actor and trace come from the current call. Throws for an event without aggregate id, and for one
 * over 1 MiB of JSON: the broker would close the channel on it again and again.
 */
export function createEnvelope<Data>(
  message: EventMessage<Data>,
  data: Data,
  options: { sequence: number; occurredAt?: Date | undefined },
): Envelope {
  const event = eventOf(message)
  const call = currentCall()
  const envelope: Envelope = {
    eventId: newId(),
    type: event.type,
    version: event.version,
    occurredAt: (options.occurredAt ?? new Date()).toISOString(),
    actor: actorOf(call),
    aggregate: { type: event.aggregate, id: aggregateId(event, data), sequence: options.sequence },
    data: event.toJSON(data),
    trace: traceOf(call),
  }
  const bytes = Buffer.byteLength(JSON.stringify(envelope))
  if (bytes > MAX_BYTES) throw new Error(`event ${event.type} is too large: ${bytes} bytes`)
  return envelope
}

/** The envelope in a message's body; throws when it is none. */
export const parseEnvelope = (body: unknown): Envelope => schema.parse(body)

function aggregateId<Data>(event: EventDefinition<Data>, data: Data): string {
  const id = (data as Record<string, unknown>)[event.aggregateIdField]
  if (id === undefined || id === null || id === '')
    throw new Error(`event ${event.type} lacks ${event.aggregateIdField}`)
  return String(id)
}

// The relay puts the service's name into a system actor: it knows whose outbox it empties.
function actorOf(call: Call | undefined): Envelope['actor'] {
  if (!call || call.caller.kind === 'anonymous') return { type: 'system', id: '' }
  return { type: call.caller.kind, id: call.caller.id }
}

function traceOf(call: Call | undefined): Envelope['trace'] {
  const requestId = call?.requestId ?? newId()
  const trace: Envelope['trace'] = { requestId, correlationId: call?.correlationId ?? requestId }
  if (call?.causationId) trace.causationId = call.causationId
  return trace
}
