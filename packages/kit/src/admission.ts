import { AppError } from './errors.ts'

/**
 * What is worth most when not everything can be done, in this order: checkouts under way and the notices that finish them,
 * pages that are made once for everybody, all else.
 */
export type Rank = 'checkout' | 'page' | 'other'

export type AdmissionOptions = {
  /** Requests worked on at once, at most. */
  maxInFlight: number
  /** Requests that may wait for a place; the next one is refused. */
  maxWaiting: number
  /** A request that has waited this long is refused: its answer would come too late to be of use. */
  maxWaitMs: number
  /** The part of the places that neither checkouts nor all the others can take from each other. None by default. */
  reserved?: number
}

/** To be called once when a request has ended; `slow` when it was answered, but took longer than it should. */
export type Leave = (slow?: boolean) => void

export type Admission = {
  /** Throws what `enter` would throw at once, for a refusal before any work is done. */
  check(rank: Rank): void
  /** Resolves when a request may begin. Refuses at once when the process has enough to do: UNAVAILABLE `overloaded`. */
  enter(rank: Rank): Promise<Leave>
  /** How many may be worked on at once at the moment. */
  readonly limit: number
  readonly inFlight: number
  readonly waiting: number
}

type Waiting = { begin: () => void; refuse: () => void; timer: NodeJS.Timeout }

const RANKS: readonly Rank[] = ['checkout', 'page', 'other']
const sideOf = (rank: Rank) => (rank === 'checkout' ? 'checkouts' : 'others')
/** Additive increase, multiplicative decrease, as in TCP's congestion control (RFC 5681). */
const DECREASE = 0.7
/** When most of the answers of this time were slow, there was too much; some are slow because one neighbour hangs. */
const WINDOW_MS = 1_000
/** The limit never falls below this part of `maxInFlight`. */
const LEAST = 1 / 8

/**
 * Bounds what a process works on at once, so that under more load than it can bear it goes on answering as many requests as
 * it can, each in time, and says no to the others cheaply and early. The bound follows what the process, and those behind
 * it, can bear at the moment: it shrinks while all places are taken and most answers are slow, and grows again by one for each round of quick ones.
 */
export function createAdmission({ maxInFlight, maxWaiting, maxWaitMs, reserved = 0 }: AdmissionOptions): Admission {
  const queues: Record<Rank, Set<Waiting>> = { checkout: new Set(), page: new Set(), other: new Set() }
  const inFlight = { checkouts: 0, others: 0 }
  let limit = maxInFlight
  let round = 0
  let seen = { since: performance.now(), slow: 0, quick: 0 }

  const all = () => inFlight.checkouts + inFlight.others
  const hasPlace = (rank: Rank) =>
    all() < limit && inFlight[sideOf(rank)] < Math.max(1, Math.ceil(limit * (1 - reserved)))
  /** Those who would begin before a newcomer of this rank. */
  const ahead = (rank: Rank) =>
    RANKS.slice(0, RANKS.indexOf(rank) + 1).reduce((sum, other) => sum + queues[other].size, 0)
  const isFull = (rank: Rank) => !hasPlace(rank) && ahead(rank) >= maxWaiting

  const learn = (rank: Rank, slow: boolean) => {
    // While there is room, what is slow is slow for another reason.
    if (!hasPlace(rank)) seen[slow ? 'slow' : 'quick'] += 1
    if (performance.now() - seen.since >= WINDOW_MS) {
      if (seen.slow > seen.quick) limit = Math.max(Math.ceil(maxInFlight * LEAST), Math.floor(limit * DECREASE))
      seen = { since: performance.now(), slow: 0, quick: 0 }
    }
    if (slow || all() <= limit / 2) return
    round += 1
    if (round < limit || limit >= maxInFlight) return
    limit += 1
    round = 0
  }
  const beginWaiting = () => {
    for (const rank of RANKS)
      for (const next of queues[rank]) {
        if (!hasPlace(rank)) break
        queues[rank].delete(next)
        next.begin()
      }
  }
  const begin = (rank: Rank): Leave => {
    inFlight[sideOf(rank)] += 1
    let hasLeft = false
    return (slow = false) => {
      if (hasLeft) return
      hasLeft = true
      learn(rank, slow)
      inFlight[sideOf(rank)] -= 1
      beginWaiting()
    }
  }

  return {
    check(rank) {
      if (isFull(rank)) throw new Overloaded()
    },
    async enter(rank) {
      if (hasPlace(rank)) return begin(rank)
      if (isFull(rank)) throw new Overloaded()
      // It takes the place of whoever came last among the least important.
      if (ahead('other') >= maxWaiting)
        [...(RANKS.map((other) => queues[other]).findLast((queue) => queue.size > 0) ?? [])].at(-1)?.refuse()
      const queue = queues[rank]
      return new Promise((resolve, reject) => {
        const own: Waiting = {
          begin() {
            clearTimeout(own.timer)
            resolve(begin(rank))
          },
          refuse() {
            clearTimeout(own.timer)
            queue.delete(own)
            reject(new Overloaded())
          },
          timer: setTimeout(() => own.refuse(), maxWaitMs),
        }
        queue.add(own)
      })
    },
    get limit() {
      return limit
    },
    get inFlight() {
      return all()
    },
    get waiting() {
      return ahead('other')
    },
  }
}

/** 503 `overloaded`: nothing was done, and the same request may come again after a moment. */
export class Overloaded extends AppError {
  constructor() {
    // Not all at the same moment.
    const retryAfterSeconds = 1 + Math.floor(Math.random() * 3)
    super('UNAVAILABLE', 'overloaded', 'too much to do at the moment, try again shortly', { retryAfterSeconds })
  }
}
