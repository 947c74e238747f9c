import type { Place } from '../market.ts'
import { seedCatalogue } from './catalogue.ts'
import { openJournal } from './journal.ts'
import { seedOrders } from './orders.ts'
import { seedParties } from './parties.ts'
import { seedPayouts } from './payouts.ts'
import { makeProducts, type SeedProduct } from './products.ts'
import { seedReviews } from './reviews.ts'

export { DEMO_PASSWORD } from './people.ts'

/**
 * Makes the demo marketplace once, through the APIs that people use. `marker` remembers what is there: a seed that was cut
 * off goes on at the next start, a finished one is not touched again.
 */
export async function seed(
  place: Place,
  { marker, log, products = makeProducts() }: { marker: string; log: (line: string) => void; products?: SeedProduct[] },
): Promise<void> {
  const journal = openJournal(marker)
  if (journal.has('everything')) return
  const began = performance.now()
  log('seed: a demo marketplace, once')
  const step = { journal, log, products }
  const parties = await seedParties(place, step)
  await seedCatalogue(parties, step)
  const orders = await seedOrders(place, parties, step)
  await seedReviews(parties, orders, step)
  await seedPayouts(parties, step)
  journal.add('everything')
  log(`seed: done in ${((performance.now() - began) / 1000).toFixed(1)} s`)
}
