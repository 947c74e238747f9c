import type { Collection, Document } from 'mongodb'
import { newId } from '../id.ts'
import type { EventMessage } from './definition.ts'
import { createEnvelope, type Envelope } from './envelope.ts'
import type { Source } from './relay.ts'
import type { EventSealer } from './sealed.ts'

const BATCH_DOCUMENTS = 100
const LEASE_MS = 15_000
/** Beyond these, documents are found by the next search. */
const MOST_TOLD = 10_000

/** Fields that documents carry while they have unpublished events. */
export type Pending = { pendingEvents?: Envelope[]; pendingLeaseUntil?: Date; pendingLeaseBy?: string }

/**
 * Projection of a document that somebody changes and writes back: the relay's own fields never come along, so a write cannot
 * bring back a claim that has ended since.
 */
export const withoutPending = { pendingEvents: 0, pendingLeaseUntil: 0, pendingLeaseBy: 0 } as const

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

/** A source that is told which documents have events, so that it need not search for them. */
export type PendingSource = Source & { tell(ids: readonly unknown[]): void }

/**
 * Documents with pending events as a source. A document is claimed for 15 seconds before its events are published, so that
 * several processes share the work; afterwards the published events are archived and taken out of it. Documents it was told of
 * come first; a search finds what a crash or another process has left.
 */
export function pendingSource(
  collection: Collection<Document>,
  service: string,
  seal: EventSealer['seal'],
  archive: (events: readonly Envelope[]) => Promise<void>,
): PendingSource {
  const waiting = { 'pendingEvents.eventId': { $exists: true } }
  let told = new Set<unknown>()
  const takeTold = () => {
    const ids = [...told].slice(0, BATCH_DOCUMENTS)
    told = new Set([...told].slice(BATCH_DOCUMENTS))
    return ids
  }
  const search = async (free: Document) => {
    const found = collection.find({ ...waiting, ...free }, { projection: { _id: 1 } }).limit(BATCH_DOCUMENTS)
    return idsOf(await found.toArray())
  }
  return {
    tell(ids) {
      for (const id of ids) if (told.size < MOST_TOLD) told.add(id)
    },
    async drain(publish, searching) {
      const now = new Date()
      const free = { $or: [{ pendingLeaseUntil: { $exists: false } }, { pendingLeaseUntil: { $lt: now } }] }
      const isTold = told.size > 0
      const ids = isTold ? takeTold() : searching ? await search(free) : []
      // One command for the whole batch: the documents that carry our mark afterwards are ours.
      const among = { _id: { $in: ids } } as Document
      const pendingLeaseBy = newId()
      if (ids.length)
        await collection.updateMany(
          { ...among, ...waiting, ...free },
          { $set: { pendingLeaseBy, pendingLeaseUntil: new Date(now.getTime() + LEASE_MS) } },
        )
      const claimed = ids.length
        ? await collection.find({ ...among, pendingLeaseBy }, { projection: { pendingEvents: 1 } }).toArray()
        : []

      const events = claimed
        .flatMap((document) => (document as Pending).pendingEvents ?? [])
        .map((event) => seal(signed(event, service)))
      const confirmed = events.length ? await publish(events) : new Set<string>()
      if (confirmed.size) await archive(events.filter(({ eventId }) => confirmed.has(eventId)))
      // What is left is ours to publish: who added it meanwhile, maybe in another process, found the document claimed.
      if (claimed.length) for (const id of await forget(collection, claimed, pendingLeaseBy, confirmed)) told.add(id)
      const isDone = confirmed.size === events.length
      return {
        oldest: events.length ? new Date(Math.min(...events.map((event) => Date.parse(event.occurredAt)))) : undefined,
        more: isDone && (told.size > 0 || (searching && (isTold || ids.length === BATCH_DOCUMENTS))),
      }
    },
    async count() {
      const documents = await collection.find(waiting, { projection: { pendingEvents: 1 } }).toArray()
      return documents.reduce((sum, document) => sum + ((document as Pending).pendingEvents?.length ?? 0), 0)
    },
  }
}

// Only what was published goes: somebody may have pushed another event meanwhile, or the broker did not confirm all. The
// field goes with its last event, which takes the document out of the sparse index. Answers the documents that may have some left.
async function forget(
  collection: Collection<Document>,
  claimed: readonly Document[],
  pendingLeaseBy: string,
  confirmed: Set<string>,
): Promise<unknown[]> {
  // As long as the mark is ours events are only added, so one with as many as before has those that we read.
  const bySize = Map.groupBy(
    (claimed as (Pending & Document)[]).filter(({ pendingEvents = [] }) =>
      pendingEvents.every(({ eventId }) => confirmed.has(eventId)),
    ),
    ({ pendingEvents = [] }) => pendingEvents.length,
  )
  let left = claimed.length
  for (const [size, documents] of bySize) {
    const same = { _id: { $in: idsOf(documents) }, pendingLeaseBy, pendingEvents: { $size: size } }
    const { matchedCount } = await collection.updateMany(same, {
      $unset: { pendingEvents: '', pendingLeaseBy: '', pendingLeaseUntil: '' },
    })
    left -= matchedCount
  }
  if (left === 0) return []
  const ids = idsOf(claimed)
  const ours = { _id: { $in: ids } } as Document
  if (confirmed.size)
    await collection.updateMany(ours, { $pull: { pendingEvents: { eventId: { $in: [...confirmed] } } } } as Document)
  await collection.updateMany({ ...ours, pendingEvents: { $size: 0 } }, { $unset: { pendingEvents: '' } })
  await collection.updateMany({ ...ours, pendingLeaseBy }, { $unset: { pendingLeaseBy: '', pendingLeaseUntil: '' } })
  return ids
}

const idsOf = (documents: readonly Document[]) => documents.map(({ _id }) => _id)

const signed = (event: Envelope, service: string): Envelope =>
  event.actor.type === 'system' && !event.actor.id ? { ...event, actor: { type: 'system', id: service } } : event
