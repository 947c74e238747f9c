import type { Collection, Document } from 'mongodb'
import type { EventMessage } from './definition.ts'
import { createEnvelope, type Envelope } from './envelope.ts'
import type { Source } from './relay.ts'

const BATCH_DOCUMENTS = 100
const LEASE_MS = 15_000

/** Fields that documents carry while they have unpublished events. */
export type Pending = { pendingEvents?: Envelope[]; pendingLeaseUntil?: Date }

/**
 * An event to push into `pendingEvents` of the document it is about, in the same update that changes the document:
 * `{ $set: {…}, $push: { pendingEvents: pendEvent(ProductUpdated, data, version) } }`. The event exists if, and only if, the
 * change does. `sequence` is the document's new version. Documents with pending events must be neither replaced nor
 * deleted; mark them deleted instead.
 */
export function pendEvent<Data>(
  message: EventMessage<Data>,
  data: NoInfer<Data>,
  sequence: number,
  options: { occurredAt?: Date } = {},
): Envelope {
  return createEnvelope(message, data, { sequence, occurredAt: options.occurredAt })
}

/** The index that finds documents with pending events; sparse, so it is as small as their number. */
export async function ensurePendingIndex(collection: Collection<Document>): Promise<void> {
  await collection.createIndex({ 'pendingEvents.eventId': 1 }, { name: 'pending_events', sparse: true })
}

/**
 * Documents with pending events as a source. A document is claimed for 15 seconds before its events are published, so that
 * several processes share the work; afterwards the published events are taken out of it.
 */
export function pendingSource(collection: Collection<Document>, service: string): Source {
  const waiting = { 'pendingEvents.eventId': { $exists: true } }
  return {
    async drain(publish) {
      const now = new Date()
      const free = { $or: [{ pendingLeaseUntil: { $exists: false } }, { pendingLeaseUntil: { $lt: now } }] }
      const found = await collection
        .find({ ...waiting, ...free }, { projection: { _id: 1 } })
        .limit(BATCH_DOCUMENTS)
        .toArray()
      const claimed = (
        await Promise.all(
          found.map(({ _id }) =>
            collection.findOneAndUpdate(
              { _id, ...waiting, ...free },
              { $set: { pendingLeaseUntil: new Date(now.getTime() + LEASE_MS) } },
              { projection: { pendingEvents: 1 }, returnDocument: 'after' },
            ),
          ),
        )
      ).filter((document) => document !== null)

      const events = claimed.flatMap((document) => (document as Pending).pendingEvents ?? [])
      const confirmed = events.length ? await publish(events.map((event) => signed(event, service))) : new Set<string>()
      await Promise.all(
        claimed.map((document) => {
          const all = ((document as Pending).pendingEvents ?? []).map((event) => event.eventId)
          return forget(collection, document._id, all, confirmed)
        }),
      )
      return {
        published: confirmed.size,
        oldest: events.length ? new Date(Math.min(...events.map((event) => Date.parse(event.occurredAt)))) : undefined,
        more: found.length === BATCH_DOCUMENTS,
      }
    },
    async count() {
      const documents = await collection.find(waiting, { projection: { pendingEvents: 1 } }).toArray()
      return documents.reduce((sum, document) => sum + ((document as Pending).pendingEvents?.length ?? 0), 0)
    },
  }
}

// The usual case ends with the field gone, which takes the document out of the sparse index; otherwise only the published
// events go, because somebody pushed another one meanwhile or the broker did not confirm all.
async function forget(
  collection: Collection<Document>,
  _id: unknown,
  all: string[],
  confirmed: Set<string>,
): Promise<void> {
  const id = { _id } as Document
  const done = all.filter((eventId) => confirmed.has(eventId))
  if (done.length === all.length) {
    const unset = await collection.updateOne(
      { ...id, pendingEvents: { $size: all.length }, 'pendingEvents.eventId': { $all: all } },
      { $unset: { pendingEvents: '', pendingLeaseUntil: '' } },
    )
    if (unset.matchedCount) return
  }
  await collection.updateOne(id, {
    $unset: { pendingLeaseUntil: '' },
    ...(done.length ? { $pull: { pendingEvents: { eventId: { $in: done } } } } : {}),
  } as Document)
}

const signed = (event: Envelope, service: string): Envelope =>
  event.actor.type === 'system' && !event.actor.id ? { ...event, actor: { type: 'system', id: service } } : event
