import { type AdminClient, ok } from '@haat/client'
import { type Seller, type Shopper, staff } from '../actors.ts'
import { each } from '../each.ts'
import { ensureCategories, ensureCustomer, ensureVendor, type Place, unless } from '../market.ts'
import type { Journal } from './journal.ts'
import { brands, type Customer, customers, vendorLogin, vendors } from './people.ts'
import type { SeedProduct } from './products.ts'
import { leaves, slugOf, topCategories } from './taxonomy.ts'

export type Step = { journal: Journal; log: (line: string) => void; products: SeedProduct[] }
export type Parties = {
  admin: AdminClient
  sellers: (Seller & { slug: string })[]
  buyers: (Shopper & Pick<Customer, 'name' | 'addresses'>)[]
}

const bdt = (taka: number) => ({ currency: 'BDT', minor: taka * 100 })

/** Staff, vendors and customers, and the platform's own data: categories, brands, commission, coupons, delivery rates. */
export async function seedParties(place: Place, { journal, log }: Step): Promise<Parties> {
  const admin = await staff(place)
  const sellers: Parties['sellers'] = []
  const buyers: Parties['buyers'] = []
  await Promise.all([
    each(vendors, 4, async ({ name, owner }, index) => {
      const business = { name, currency: 'BDT', country: 'BD' }
      sellers[index] = await ensureVendor(place, admin, { ...vendorLogin(index), name: owner }, business)
    }),
    each(customers, 4, async ({ name, login, addresses }, index) => {
      buyers[index] = { ...(await ensureCustomer(place, { ...login, name })), name, addresses }
    }),
  ])
  log(`seed: ${sellers.length} vendors approved, ${buyers.length} customers`)
  if (journal.has('platform')) return { admin, sellers, buyers }

  await each(buyers, 4, async ({ shop, addresses }) => {
    const { items } = await ok(shop.GET('/v1/me/addresses'))
    for (const [index, address] of addresses.slice(items.length).entries())
      await ok(shop.POST('/v1/me/addresses', { body: { label: items.length + index ? 'Office' : 'Home', address } }))
  })
  const categories = await ensureCategories(admin, [
    ...topCategories.map((name) => ({ name, slug: slugOf(name) })),
    ...leaves.map(({ name, top }) => ({ name, slug: slugOf(name), parent: slugOf(top) })),
  ])
  await each(brands, 4, (name) => unless('brand_exists', ok(admin.POST('/v1/admin/brands', { body: { name } }))))
  await setCommission(admin, sellers, categories)
  await makeCoupons(admin, sellers, categories)
  await setRates(sellers)
  log(`seed: ${categories.size} categories, ${brands.length} brands, commission rules, coupons, delivery rates`)
  journal.add('platform')
  return { admin, sellers, buyers }
}

async function setCommission(admin: AdminClient, sellers: Parties['sellers'], categories: Map<string, string>) {
  await unless(
    'commission_version_conflict',
    ok(
      admin.PUT('/v1/admin/commission-rules', {
        body: {
          expectedVersion: 0,
          rules: [
            { scope: 'vendor', refId: sellers[4]!.vendorId, percentBps: 600, note: 'Book shops pay less' },
            { scope: 'vendor', refId: sellers[0]!.vendorId, percentBps: 800, note: 'First vendor of the market' },
            {
              scope: 'category',
              refId: categories.get('electronics')!,
              percentBps: 500,
              max: bdt(1500),
              note: 'Thin margins, at most 1,500 a line',
            },
            { scope: 'category', refId: categories.get('beauty-care')!, percentBps: 1500, note: 'Beauty' },
            { scope: 'default', percentBps: 1000, note: 'Ten percent' },
          ],
        },
      }),
    ),
  )
}

async function makeCoupons(admin: AdminClient, sellers: Parties['sellers'], categories: Map<string, string>) {
  const platform = { fundedBy: 'platform', isActive: true } as const
  const coupons = [
    {
      ...platform,
      code: 'WELCOME10',
      description: 'Ten percent off',
      type: 'percent',
      percentBps: 1000,
      maxDiscount: bdt(500),
    },
    { ...platform, code: 'FREESHIP', description: 'Free delivery', type: 'free_shipping', stackable: true },
    {
      ...platform,
      code: 'TEATIME',
      description: 'A hundred taka off tea and coffee',
      type: 'fixed',
      amount: bdt(100),
      minOrderAmount: bdt(500),
      usageLimit: 1000,
      perUserLimit: 3,
      scopes: [{ type: 'category', refId: categories.get('tea-coffee')! }],
    },
    {
      ...platform,
      code: 'EID2020',
      description: 'Over',
      type: 'percent',
      percentBps: 2000,
      endsAt: '2020-06-01T00:00:00Z',
    },
  ] as const
  for (const { endsAt, ...coupon } of coupons.map((coupon) => ({ endsAt: undefined, ...coupon })))
    await unless(
      'coupon_code_taken',
      ok(admin.POST('/v1/admin/coupons', { body: { ...coupon, ...(endsAt ? { endsAt } : {}) } as never })),
    )
  for (const [index, code] of [
    [0, 'LEAF5'],
    [1, 'LOOM15'],
  ] as const)
    await unless(
      'coupon_code_taken',
      ok(
        sellers[index]!.vendor.POST('/v1/vendors/{vendorId}/coupons', {
          params: { path: { vendorId: sellers[index]!.vendorId } },
          body: {
            code,
            description: `From ${vendors[index]!.name}`,
            type: 'percent',
            percentBps: index === 0 ? 500 : 1500,
            isActive: true,
          } as never,
        }),
      ),
    )
}

/** Two vendors have rates of their own; the others use the platform's. */
async function setRates(sellers: Parties['sellers']) {
  for (const { vendor, vendorId } of [sellers[0]!, sellers[3]!])
    await unless(
      'rate_table_code_taken',
      ok(
        vendor.PUT('/v1/vendors/{vendorId}/rate-tables', {
          params: { path: { vendorId } },
          body: {
            code: 'house',
            label: 'Our own delivery',
            serviceLevel: 'standard',
            basis: 'by_weight',
            countries: ['BD'],
            currency: 'BDT',
            brackets: [
              { upTo: 2000, amount: bdt(50) },
              { upTo: 0, amount: bdt(200) },
            ],
            freeFrom: bdt(3000),
            minDays: 1,
            maxDays: 3,
            isActive: true,
          },
        }),
      ),
    )
}
