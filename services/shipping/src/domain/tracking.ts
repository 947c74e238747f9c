/** Names as the database holds them. */
export type Status = 'label_created' | 'in_transit' | 'delivered' | 'exception'

/** One scan of a parcel; `id` is the carrier's. */
export type Scan = { id: string; status: Status; description: string; location: string; occurredAt: Date }

/** Where a parcel is; `statusAt` is the time of the scan that decided it. */
export type Journey = {
  status: Status
  statusAt: Date | undefined
  shippedAt: Date | undefined
  deliveredAt: Date | undefined
}

// Of two scans of the same moment the later in this list decides.
const rank: Record<Status, number> = { label_created: 0, in_transit: 1, exception: 2, delivered: 3 }

/**
 * The journey after one more scan. Scans may come late and in any order: delivered is final, otherwise the latest scan by
 * its own time decides, and nothing leads back to label_created.
 */
export function advance(journey: Journey, scan: Scan): Journey {
  if (scan.status === 'label_created') return journey
  const at = scan.occurredAt
  const shippedAt = earlier(journey.shippedAt, at)
  if (scan.status === 'delivered') {
    const deliveredAt = earlier(journey.deliveredAt, at)
    return { status: 'delivered', statusAt: deliveredAt, shippedAt, deliveredAt }
  }
  const { statusAt } = journey
  const isLate =
    journey.status === 'delivered' ||
    (statusAt !== undefined &&
      (at < statusAt || (at.getTime() === statusAt.getTime() && rank[scan.status] <= rank[journey.status])))
  return isLate ? { ...journey, shippedAt } : { ...journey, status: scan.status, statusAt: at, shippedAt }
}

const earlier = (a: Date | undefined, b: Date): Date => (a && a < b ? a : b)

/** Scans in the order they happened. */
export const inOrder = (scans: readonly Scan[]): Scan[] =>
  [...scans].sort((a, b) => a.occurredAt.getTime() - b.occurredAt.getTime() || rank[a.status] - rank[b.status])

/** A clock that runs ahead must not shut out all later scans. */
export const notInFuture = (scan: Scan, now: Date): Scan =>
  scan.occurredAt > now ? { ...scan, occurredAt: now } : scan

// Crockford's base 32: no I, L, O, U.
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** A number of the built-in carrier: HT, 12 random characters (60 bits: it cannot be guessed), and a check character. */
export function trackingNumber(random: Uint8Array): string {
  const body = Array.from(random.subarray(0, 12), (byte) => ALPHABET[byte % 32]!).join('')
  return `HT${body}${checkCharacter(body)}`
}

export const isTrackingNumber = (text: string): boolean => {
  const match = text.match(/^HT([0-9A-HJKMNP-TV-Z]{12})([0-9A-HJKMNP-TV-Z])$/)
  return match !== null && checkCharacter(match[1]!) === match[2]
}

/** Luhn modulo 32: finds every single wrong character and nearly every swap of neighbours. */
function checkCharacter(body: string): string {
  let total = 0
  let factor = 2
  for (const character of [...body].reverse()) {
    const product = factor * ALPHABET.indexOf(character)
    total += Math.floor(product / 32) + (product % 32)
    factor = 3 - factor
  }
  return ALPHABET[(32 - (total % 32)) % 32]!
}

/** The way of a simulated parcel. */
export const simulatedScans: readonly Omit<Scan, 'id' | 'occurredAt'>[] = [
  { status: 'in_transit', description: 'Picked up from the seller', location: '' },
  { status: 'in_transit', description: 'Arrived at the sorting centre', location: 'Sorting centre' },
  { status: 'in_transit', description: 'Out for delivery', location: 'Local depot' },
  { status: 'delivered', description: 'Delivered', location: '' },
]
