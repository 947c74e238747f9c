import { randomUUID } from 'node:crypto'
import {
  type AdminClient,
  createAdminClient,
  createStorefrontClient,
  createVendorClient,
  type Identity,
  ok,
  type StorefrontClient,
  type VendorClient,
} from '@haat/client'
import sharp from 'sharp'
import type { Devnet } from './devnet.ts'
import { ADMIN_LOGIN } from './environment.ts'

type Place = Pick<Devnet, 'urls'>
type Login = { email: string; password: string }

export type Shopper = { shop: StorefrontClient; identity: Identity; email: string; userId: string }
export type Seller = {
  vendor: VendorClient
  shop: StorefrontClient
  identity: Identity
  vendorId: string
  login: Login
}
export type Money = { currency: string; minor: number }

/** A guest: a cart, no account. */
export function guest(place: Place): { shop: StorefrontClient; identity: Identity } {
  const identity: Identity = {}
  return { shop: createStorefrontClient(place.urls.storefront, identity), identity }
}

/** Opens an account, taking the guest's cart along when there is one. */
export async function register(
  place: Place,
  person: Login & { name: string },
  visitor = guest(place),
): Promise<Shopper> {
  const { shop, identity } = visitor
  const answer = await ok(shop.POST('/v1/auth/register', { body: { ...person, session: 'token' } }))
  identity.token = answer.accessToken
  identity.cartToken = undefined
  return { shop, identity, email: person.email, userId: answer.user.id }
}

/** Signs in at the storefront, taking the guest's cart along. */
export async function login(place: Place, person: Login, visitor = guest(place)): Promise<Shopper> {
  const { shop, identity } = visitor
  const answer = await ok(shop.POST('/v1/auth/login', { body: { ...person, session: 'token' } }))
  identity.token = answer.accessToken
  identity.cartToken = undefined
  return { shop, identity, email: person.email, userId: answer.user.id }
}

/** Signs in at the back office. */
export async function staff(place: Place, person: Login = ADMIN_LOGIN): Promise<AdminClient> {
  const identity: Identity = {}
  const admin = createAdminClient(place.urls.admin, identity)
  identity.token = (await ok(admin.POST('/v1/auth/login', { body: { ...person, session: 'token' } }))).accessToken
  return admin
}

/** Signs in at the vendor API; the token carries the vendor once it is approved. */
export async function seller(place: Place, person: Login): Promise<Seller> {
  const identity: Identity = {}
  const vendor = createVendorClient(place.urls.vendor, identity)
  const answer = await ok(vendor.POST('/v1/auth/login', { body: { ...person, session: 'token' } }))
  identity.token = answer.accessToken
  return {
    vendor,
    shop: createStorefrontClient(place.urls.storefront, identity),
    identity,
    vendorId: answer.user.vendorId ?? '',
    login: person,
  }
}

/** The smallest file that calls itself a PDF, as a document to hand in. */
const PAPER = Buffer.from('%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n')

type Business = { name: string; currency: string; country: string }

/** Registers a person who applies to sell and hands in what approval needs. */
export async function applyAsVendor(
  place: Place,
  person: Login & { name: string },
  business: Business,
): Promise<Seller> {
  const applicant = await register(place, person)
  const { id } = await applyToSell(applicant, business)
  const vendor = await handInPapers(place, applicant, { vendorId: id, holder: person.name, country: business.country })
  return { vendor, shop: applicant.shop, identity: applicant.identity, vendorId: id, login: person }
}

/** Writes the application of a person who has an account. */
export const applyToSell = (applicant: Shopper, business: Business) =>
  ok(
    applicant.shop.POST('/v1/vendors/apply', {
      body: {
        name: business.name,
        description: `${business.name} sells on Haat.`,
        supportEmail: applicant.email,
        defaultCurrency: business.currency,
        shipsFrom: { country: business.country, postalCode: '1207' },
      },
    }),
  )

/** Hands in an applicant's documents and bank account. */
export async function handInPapers(
  place: Place,
  { identity }: Shopper,
  of: { vendorId: string; holder: string; country: string },
): Promise<VendorClient> {
  const vendor = createVendorClient(place.urls.vendor, identity)
  for (const docType of ['national_id', 'trade_license'])
    await send(`${place.urls.vendor}/v1/vendors/${of.vendorId}/kyc?docType=${docType}&fileName=${docType}.pdf`, {
      method: 'POST',
      token: identity.token,
      type: 'application/pdf',
      body: PAPER,
    })
  await ok(
    vendor.POST('/v1/vendors/{vendorId}/bank', {
      params: { path: { vendorId: of.vendorId } },
      body: {
        accountHolder: of.holder,
        accountNo: '0123456789012',
        bankName: 'Demo Bank',
        routing: '011000015',
        country: of.country,
      },
    }),
  )
  return vendor
}

/** Reviews an applicant's documents and bank account and approves the vendor. */
export async function approveVendor(admin: AdminClient, vendorId: string): Promise<void> {
  const page = await ok(admin.GET('/v1/admin/vendors/{id}', { params: { path: { id: vendorId } } }))
  for (const { id } of page.documents.filter(({ status }) => status === 'pending'))
    await ok(admin.POST('/v1/admin/kyc/{id}/review', { params: { path: { id } }, body: { decision: 'accepted' } }))
  for (const { id } of page.bankAccounts.filter(({ status }) => status === 'pending'))
    await ok(admin.POST('/v1/admin/bank-accounts/{id}/verify', { params: { path: { id } }, body: { verified: true } }))
  await ok(
    admin.PATCH('/v1/admin/vendors/{id}/status', {
      params: { path: { id: vendorId } },
      body: { status: 'active', reason: 'documents and bank account are in order' },
    }),
  )
}

/** A picture drawn from a word, the same for the same word. */
export function picture(word: string, size = 800): Promise<Buffer> {
  let hue = 0
  for (const letter of word) hue = (hue * 31 + letter.charCodeAt(0)) % 360
  const initials = word
    .split(/\s+/)
    .slice(0, 2)
    .map((part) => part[0]?.toUpperCase() ?? '')
    .join('')
    .replace(/[^A-Z0-9]/g, '')
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}">
    <rect width="100%" height="100%" fill="hsl(${hue},55%,88%)"/>
    <circle cx="${size / 2}" cy="${size / 2}" r="${size / 3}" fill="hsl(${hue},60%,60%)"/>
    <text x="50%" y="56%" font-size="${size / 4}" text-anchor="middle" fill="white" font-family="sans-serif">${initials}</text></svg>`
  return sharp(Buffer.from(svg)).jpeg({ quality: 80 }).toBuffer()
}

/** Uploads a picture as a seller; answers the image's id. */
export const uploadImage = async (own: Seller, bytes: Buffer): Promise<string> => (await uploadPicture(own, bytes)).id

/** Uploads a picture as a seller; answers the image with its addresses. */
export async function uploadPicture(own: Seller, bytes: Buffer): Promise<{ id: string; fullUrl: string }> {
  const params = { path: { vendorId: own.vendorId } }
  const upload = await ok(
    own.vendor.POST('/v1/vendors/{vendorId}/uploads', {
      params,
      body: { purpose: 'product', fileName: 'picture.jpg', contentType: 'image/jpeg', sizeBytes: bytes.length },
    }),
  )
  await send(upload.url, { method: upload.method, headers: upload.headers, type: 'image/jpeg', body: bytes })
  const image = await ok(
    own.vendor.POST('/v1/vendors/{vendorId}/uploads/{id}/complete', {
      params: { path: { vendorId: own.vendorId, id: upload.uploadId } },
    }),
  )
  return { id: image!.id, fullUrl: image!.fullUrl }
}

export type NewVariant = {
  sku: string
  price: Money
  optionValues?: Record<string, string>
  weightGrams?: number
  barcode?: string
}

/** Writes a product as a draft; answers it. */
export const createProduct = (
  own: Seller,
  product: {
    title: string
    description?: string
    categoryIds: string[]
    imageIds?: string[]
    options?: { name: string; values: string[] }[]
    attributes?: Record<string, string>
    variants: NewVariant[]
  },
) =>
  ok(
    own.vendor.POST('/v1/vendors/{vendorId}/products', {
      params: { path: { vendorId: own.vendorId } },
      body: {
        content: {
          title: product.title,
          description: product.description ?? `${product.title}, straight from the maker.`,
          categoryIds: product.categoryIds,
          images: (product.imageIds ?? []).map((imageId) => ({ imageId, alt: product.title })),
          options: product.options ?? [],
          attributes: product.attributes ?? {},
          variants: product.variants.map((variant) => ({
            optionValues: {},
            weightGrams: 300,
            taxClass: 'standard',
            isActive: true,
            ...variant,
          })),
        },
      },
    }),
  )

/** Submits and approves a draft, so that it is live. */
export async function publish(own: Seller, admin: AdminClient, id: string): Promise<void> {
  await ok(
    own.vendor.POST('/v1/vendors/{vendorId}/products/{id}/submit', {
      params: { path: { vendorId: own.vendorId, id } },
    }),
  )
  await ok(admin.PATCH('/v1/admin/products/{id}/approve', { params: { path: { id } }, body: {} }))
}

/** Puts goods on the shelf. */
export const stock = (own: Seller, productId: string, sku: string, onHand: number, reorderPoint = 5) =>
  ok(
    own.vendor.PATCH('/v1/vendors/{vendorId}/inventory/{sku}', {
      params: { path: { vendorId: own.vendorId, sku } },
      body: { productId, onHand, reorderPoint },
    }),
  )

export const ADDRESS = {
  name: 'Rahima Khatun',
  line1: '12 Green Road',
  city: 'Dhaka',
  postalCode: '1205',
  country: 'BD',
  phone: '+8801712345678',
}

/** Prices the cart, takes the first delivery option of every vendor, and places the order. */
export async function placeOrder(buyer: Shopper, options: { key?: string; address?: typeof ADDRESS } = {}) {
  const address = options.address ?? ADDRESS
  const destination = { country: address.country, postalCode: address.postalCode }
  const first = await ok(buyer.shop.POST('/v1/checkout/summary', { body: { destination } }))
  const deliveries = first.groups.map((group) => ({
    vendorId: group.vendorId,
    optionId: group.deliveryOptions[0]!.optionId,
  }))
  const summary = await ok(buyer.shop.POST('/v1/checkout/summary', { body: { destination, deliveries } }))
  const placed = await ok(
    buyer.shop.POST('/v1/orders', {
      params: { header: { 'Idempotency-Key': options.key ?? randomUUID() } },
      body: {
        shippingAddress: address,
        deliveries,
        paymentProvider: 'stripe',
        email: buyer.email,
        expectedTotal: summary.totals!.total!,
        cartRevision: summary.revision,
      },
    }),
  )
  return { summary, ...placed }
}

/** Pays at the emulator as a browser does, with the intent's client secret. `action`: pay, decline, insufficient, … */
export async function pay(
  place: Place,
  payment: { intentId: string; clientSecret: string },
  action = 'pay',
): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(
    `${place.urls.stripe}/_emulator/pay/${payment.intentId}?client_secret=${payment.clientSecret}`,
    {
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ action }),
    },
  )
  return { status: answer.status, body: await answer.json() }
}

/** Sends bytes; throws with the answer's text when they are refused. */
export async function send(
  url: string,
  options: {
    method: string
    token?: string | undefined
    type: string
    body: Uint8Array
    headers?: Record<string, string>
  },
): Promise<unknown> {
  const answer = await fetch(url, {
    method: options.method,
    headers: {
      'content-type': options.type,
      ...options.headers,
      ...(options.token ? { authorization: `Bearer ${options.token}` } : {}),
    },
    body: new Uint8Array(options.body),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${options.method} ${url}: ${answer.status} ${text.slice(0, 500)}`)
  return text.startsWith('{') ? JSON.parse(text) : text
}
