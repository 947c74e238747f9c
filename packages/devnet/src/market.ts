import { type AdminClient, ApiError, createVendorClient, ok } from '@haat/client'
import {
  applyToSell,
  approveVendor,
  handInPapers,
  login,
  register,
  type Seller,
  type Shopper,
  seller,
} from './actors.ts'
import type { Devnet } from './devnet.ts'
import { patient } from './patient.ts'
import { until } from './until.ts'

// What seed and import want to be there, made when it is not: each of these may be cut off and repeated.

export type Place = Pick<Devnet, 'urls'>
type Person = { name: string; email: string; password: string }

/** The answer, or undefined when it was refused with this code. */
export async function unless<Answer>(code: string, answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof ApiError && error.code === code) return undefined
    throw error
  }
}

/** Opens an account, or signs in when there is one. */
export const ensureCustomer = async (place: Place, person: Person): Promise<Shopper> =>
  (await unless('email_taken', register(place, person))) ?? login(place, credentials(person))

const credentials = ({ email, password }: Person) => ({ email, password })

/** A person's approved vendor, by the real way: application, documents, bank account, approval. */
export async function ensureVendor(
  place: Place,
  admin: AdminClient,
  person: Person,
  business: { name: string; currency: string; country: string },
): Promise<Seller & { slug: string }> {
  const applicant = await ensureCustomer(place, person)
  const own = createVendorClient(place.urls.vendor, applicant.identity)
  const mine = await own.GET('/v1/vendors/me')
  const vendor = mine.data?.vendor ?? (await applyToSell(applicant, business))
  if (vendor.status !== 'active') {
    const page = await ok(admin.GET('/v1/admin/vendors/{id}', { params: { path: { id: vendor.id } } }))
    if (page.bankAccounts.length === 0)
      await handInPapers(place, applicant, { vendorId: vendor.id, holder: person.name, country: business.country })
    await approveVendor(admin, vendor.id)
  }
  // The token names the vendor once auth has heard of the approval.
  const signedIn = await until(`the vendor in the token of ${person.email}`, async () => {
    const found = await seller(place, credentials(person))
    return found.vendorId ? found : undefined
  })
  return { ...signedIn, slug: vendor.slug }
}

/** Ten percent for everything, when the platform has no commission rules at all. */
export async function ensureCommission(admin: AdminClient): Promise<void> {
  await unless(
    'commission_version_conflict',
    ok(
      admin.PUT('/v1/admin/commission-rules', {
        body: { rules: [{ scope: 'default', percentBps: 1000, note: 'Ten percent' }], expectedVersion: 0 },
      }),
    ),
  )
}

/** Creates the categories that are missing, parents first; answers all ids by slug. */
export async function ensureCategories(
  admin: AdminClient,
  wanted: { name: string; slug: string; parent?: string }[],
): Promise<Map<string, string>> {
  const { items } = await ok(admin.GET('/v1/admin/categories'))
  const bySlug = new Map(items.map(({ slug, id }) => [slug, id]))
  for (const [sortOrder, { name, slug, parent }] of wanted.entries()) {
    if (bySlug.has(slug)) continue
    const parentId = parent === undefined ? {} : { parentId: bySlug.get(parent)! }
    const made = await patient(() =>
      ok(admin.POST('/v1/admin/categories', { body: { name, slug, sortOrder, ...parentId } })),
    )
    bySlug.set(slug, made.id)
  }
  return bySlug
}

/** Every live product of a vendor with its SKUs. */
export async function listProducts(own: Seller): Promise<{ id: string; skus: string[] }[]> {
  const products: { id: string; skus: string[] }[] = []
  for (let page_token = ''; ; ) {
    const page = await ok(
      own.vendor.GET('/v1/vendors/{vendorId}/products', {
        params: { path: { vendorId: own.vendorId }, query: { page_size: 100, page_token } },
      }),
    )
    products.push(...page.items.map(({ id, skus }) => ({ id, skus })))
    if (!page.nextPageToken) return products
    page_token = page.nextPageToken
  }
}

/** Counts a SKU for the first time; one that was counted before stays as it is. */
export const countOnce = (own: Seller, of: { productId: string; sku: string; onHand: number; reorderPoint: number }) =>
  unless(
    'stock_version_conflict',
    patient(() =>
      ok(
        own.vendor.PATCH('/v1/vendors/{vendorId}/inventory/{sku}', {
          params: { path: { vendorId: own.vendorId, sku: of.sku } },
          body: { productId: of.productId, onHand: of.onHand, reorderPoint: of.reorderPoint, expectedVersion: 0 },
        }),
      ),
    ),
  )
