import type { AdminClient } from '@haat/client'
import { type Seller, staff } from '@haat/devnet/actors'
import { importCatalog } from '@haat/devnet/csv'
import type { Devnet } from '@haat/devnet/devnet'
import { untilQuiet } from '@haat/devnet/drills/invariants/waiting'
import { each } from '@haat/devnet/each'
import { ensureCategories, ensureCommission, ensureCustomer, ensureVendor } from '@haat/devnet/market'
import { patient } from '@haat/devnet/patient'
import { createProgress } from '@haat/devnet/progress'
import { leaves, slugOf, topCategories } from '@haat/devnet/seed/taxonomy'
import type { Browser } from '../load/protocol.ts'
import { openJournal } from './journal.ts'
import { CSV_COLUMNS, csvRows, VENDORS, vendorPerson } from './products.ts'
import { stockAll } from './stock.ts'

export const CUSTOMERS = 64
const PASSWORD = 'lorry-teapot-crane-9'
const customer = (index: number) => ({
  name: `Customer ${index}`,
  email: `bench-customer-${index}@example.com`,
  password: PASSWORD,
})

/** The marketplace with its people, ready to be asked. */
export type World = {
  devnet: Devnet
  admin: AdminClient
  sellers: (Seller & { slug: string })[]
  store: ReturnType<typeof openJournal>
}

/** Vendors and products up to the wanted number, every SKU in stock; what is there already is left alone. */
export async function seedMarket(devnet: Devnet, dataDir: string, products: number): Promise<World> {
  const store = openJournal(dataDir)
  const { journal, save } = store
  const progress = createProgress()
  const admin = await staff(devnet)
  const sellers: World['sellers'] = []
  await ensureCommission(admin)
  await ensureCategories(admin, [
    ...topCategories.map((name) => ({ name, slug: slugOf(name) })),
    ...leaves.map(({ name, top }) => ({ name, slug: slugOf(name), parent: slugOf(top) })),
  ])
  await each(Array.from({ length: VENDORS }).keys(), 4, async (index) => {
    const business = { name: `Bench Vendor ${index}`, currency: 'BDT', country: 'BD' }
    sellers[index] = await ensureVendor(devnet, admin, vendorPerson(index), business)
    progress.show('vendors', sellers.filter(Boolean).length, VENDORS)
  })
  if (journal.products < products) {
    const slugs = sellers.map(({ slug }) => slug)
    for (let from = journal.products; from < products; from += 1000) {
      const groups = csvRows(from, Math.min(products, from + 1000), slugs)
      const { failed, errors } = await importCatalog(admin, CSV_COLUMNS, groups, {})
      if (failed) throw new Error(`the catalogue was not taken: ${JSON.stringify(errors[0])}`)
      save({ products: Math.min(products, from + 1000) })
      progress.show('products', journal.products, products)
    }
  }
  if (journal.stocked < journal.products) {
    await stockAll(devnet.stores.urls)
    save({ stocked: journal.products })
  }
  progress.end()
  // What an import set in motion is not what the rows are to measure.
  await untilQuiet({ stores: devnet.stores }, 900)
  return { devnet, admin, sellers, store }
}

/** Browsers in which customers are signed in. */
export async function signIn({ devnet, store }: World, count = CUSTOMERS): Promise<Browser[]> {
  const progress = createProgress()
  await each(Array.from({ length: count }).keys(), 2, async (index) => {
    if (index >= store.journal.customers) await patient(() => ensureCustomer(devnet, customer(index)))
  })
  store.save({ customers: Math.max(count, store.journal.customers) })
  const browsers: Browser[] = []
  await each(Array.from({ length: count }).keys(), 2, async (index) => {
    const { email, password } = customer(index)
    const answer = await fetch(`${devnet.urls.storefront}/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password }),
    })
    const { csrfToken } = (await answer.json()) as { csrfToken: string }
    browsers[index] = { email, csrfToken, cookie: answer.headers.getSetCookie()[0]!.split(';')[0]! }
    progress.show('sign-in', browsers.filter(Boolean).length, count)
  })
  progress.end()
  return browsers
}
