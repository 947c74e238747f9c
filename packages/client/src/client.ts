import createFetch, { type Client, type Middleware } from 'openapi-fetch'
import type { paths as AdminPaths } from '../gen/admin.ts'
import type { paths as StorefrontPaths } from '../gen/storefront.ts'
import type { paths as VendorPaths } from '../gen/vendor.ts'

export type StorefrontClient = Client<StorefrontPaths>
export type VendorClient = Client<VendorPaths>
export type AdminClient = Client<AdminPaths>

/** How a client speaks: with an access token, with a guest's cart, from a browser session. */
export type Identity = { token?: string | undefined; cartToken?: string | undefined }

/** A typed client of the storefront API; `identity` may change between calls. */
export const createStorefrontClient = (baseUrl: string, identity: Identity = {}): StorefrontClient =>
  speaking(createFetch<StorefrontPaths>({ baseUrl }), identity)

/** A typed client of the vendor API. */
export const createVendorClient = (baseUrl: string, identity: Identity = {}): VendorClient =>
  speaking(createFetch<VendorPaths>({ baseUrl }), identity)

/** A typed client of the admin API. */
export const createAdminClient = (baseUrl: string, identity: Identity = {}): AdminClient =>
  speaking(createFetch<AdminPaths>({ baseUrl }), identity)

function speaking<Speaker extends { use(...middleware: Middleware[]): void }>(
  client: Speaker,
  identity: Identity,
): Speaker {
  client.use({
    onRequest({ request }) {
      if (identity.token) request.headers.set('authorization', `Bearer ${identity.token}`)
      if (identity.cartToken) request.headers.set('x-cart-token', identity.cartToken)
      return request
    },
  })
  return client
}

/** What an API answered when it refused. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly details: Record<string, unknown>

  constructor(
    status: number,
    body: { error?: { code: string; message: string; details: Record<string, unknown> } } | undefined,
  ) {
    super(`${status} ${body?.error?.code ?? 'unknown'}: ${body?.error?.message ?? ''}`)
    this.name = 'ApiError'
    this.status = status
    this.code = body?.error?.code ?? 'unknown'
    this.details = body?.error?.details ?? {}
  }
}

/** The data of an answer; throws ApiError for a refusal. */
export async function ok<Data>(
  answer: Promise<{ data?: Data; error?: unknown; response: Response }>,
): Promise<NonNullable<Data>> {
  const { data, error, response } = await answer
  if (!response.ok) throw new ApiError(response.status, error as never)
  return data as NonNullable<Data>
}
