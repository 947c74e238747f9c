import { AppError } from './errors.ts'

export type AdmissionOptions = {
  /** Requests worked on at once. */
  maxInFlight: number
  /** Requests that may wait for a place; the next one is refused. */
  maxWaiting: number
  /** A request that has waited this long is refused: its answer would come too late to be of use. */
  maxWaitMs: number
}

export type Admission = {
  /** Throws what `enter` would throw at once, for a refusal before any work is done. */
  check(preferred: boolean): void
  /**
   * Resolves when a request may begin, and answers what to call when it has ended. Refuses at once when the process has
   * enough to do: UNAVAILABLE `overloaded`. Preferred requests get the last quarter of the places and wait in front.
   */
  enter(preferred: boolean): Promise<() => void>
  readonly inFlight: number
  readonly waiting: number
}

type Waiting = { begin: () => void; refuse: () => void; timer: NodeJS.Timeout }

/**
 * Bounds what a process works on at once, so that under more load than it can bear it goes on answering as many requests as
 * it can, each in time, and says no to the others cheaply and early.
 */
export function createAdmission({ maxInFlight, maxWaiting, maxWaitMs }: AdmissionOptions): Admission {
  const forAll = Math.max(1, Math.ceil(maxInFlight * 0.75))
  const queues: Record<'preferred' | 'others', Set<Waiting>> = { preferred: new Set(), others: new Set() }
  let inFlight = 0

  const hasPlace = (preferred: boolean) => inFlight < (preferred ? maxInFlight : forAll)
  const waiting = () => queues.preferred.size + queues.others.size
  const leave = () => {
    inFlight -= 1
    for (const preferred of [true, false]) {
      const queue = preferred ? queues.preferred : queues.others
      const [next] = queue
      if (!next || !hasPlace(preferred)) continue
      queue.delete(next)
      next.begin()
      return
    }
  }
  const begin = () => {
    inFlight += 1
    let hasLeft = false
    return () => {
      if (hasLeft) return
      hasLeft = true
      leave()
    }
  }

  const isFull = (preferred: boolean) =>
    !hasPlace(preferred) && (preferred ? queues.preferred.size : waiting()) >= maxWaiting

  return {
    check(preferred) {
      if (isFull(preferred)) throw new Overloaded()
    },
    async enter(preferred) {
      if (hasPlace(preferred)) return begin()
      if (isFull(preferred)) throw new Overloaded()
      const queue = preferred ? queues.preferred : queues.others
      // A preferred request takes the place of the one that came last among the others.
      if (waiting() >= maxWaiting) [...queues.others].at(-1)?.refuse()
      return new Promise((resolve, reject) => {
        const own: Waiting = {
          begin() {
            clearTimeout(own.timer)
            resolve(begin())
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
    get inFlight() {
      return inFlight
    },
    get waiting() {
      return waiting()
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
