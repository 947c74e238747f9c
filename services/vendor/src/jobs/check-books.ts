import { job } from '@haat/kit/jobs'
import type { VendorContext } from '../context.ts'
import { findDifferences } from '../db/books.ts'

/** Checks that earnings agree with the orders' frozen numbers and with the payouts; a difference is an error for people. */
export const checkBooks = job<VendorContext>('check-books', {
  everySeconds: 3_600,
  leader: true,
  async run(ctx) {
    const differences = await findDifferences(ctx.db)
    if (differences.length) throw new BooksDiffer(differences.map(({ kind, id }) => `${kind} ${id}`).join(', '))
  },
})

class BooksDiffer extends Error {
  override readonly name = 'BooksDiffer'
}
