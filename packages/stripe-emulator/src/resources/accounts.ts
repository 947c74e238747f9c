import type { Call, Context } from '../context.ts'
import { toJson } from '../http/form.ts'
import { listPage, listShape } from '../http/listing.ts'
import { anyHash, applyMetadata, currency, metadata, oneOf, type Param, text, type Values } from '../http/params.ts'
import { route } from '../http/route.ts'
import { resourceMissing } from '../http/stripe-error.ts'
import { newId } from '../store/new-id.ts'
import { insert } from '../store/store.ts'
import { emit } from './events.ts'

export type Account = {
  id: string
  object: 'account'
  business_profile: unknown
  business_type: string | null
  capabilities: Record<string, 'active' | 'inactive'>
  charges_enabled: boolean
  country: string
  created: number
  default_currency: string
  details_submitted: boolean
  email: string | null
  external_accounts: object
  metadata: Record<string, string>
  payouts_enabled: boolean
  requirements: object
  type: string
}

const detailParams = {
  business_profile: anyHash(),
  business_type: text(),
  capabilities: capabilities(),
  company: anyHash(),
  default_currency: currency(),
  email: text(),
  external_account: anything(),
  individual: anyHash(),
  metadata: metadata(),
  settings: anyHash(),
  tos_acceptance: anyHash(),
}
const createShape = {
  ...detailParams,
  controller: anyHash(),
  country: text(),
  type: oneOf('custom', 'express', 'standard'),
}

export const accountRoutes = [
  route('POST', '/v1/accounts', createShape, create),
  route('GET', '/v1/accounts', listShape, (ctx, params, call) => listPage(ctx, call, 'accounts', params)),
  route('GET', '/v1/accounts/:id', {}, (ctx, _params, call) => getAccount(ctx, call.ids.id ?? '', 'account')),
  route('POST', '/v1/accounts/:id', detailParams, update),
]

export function getAccount(ctx: Context, id: string, param: string): Account {
  const account = ctx.store.tables.accounts.get(id)
  if (!account) throw resourceMissing(param === 'destination' ? 'destination' : 'account', id, param)
  return account
}

/** There is no onboarding here: what is requested is granted. */
function create(ctx: Context, params: Values<typeof createShape>, _call: Call): Account {
  const id = newId('acct').replace(/^(acct_.{16}).*$/, '$1')
  const account: Account = {
    id,
    object: 'account',
    business_profile: null,
    business_type: null,
    capabilities: {},
    charges_enabled: false,
    country: params.country ?? 'US',
    created: ctx.nowSeconds(),
    default_currency: 'usd',
    details_submitted: true,
    email: null,
    external_accounts: { object: 'list', data: [], has_more: false, url: `/v1/accounts/${id}/external_accounts` },
    metadata: {},
    payouts_enabled: false,
    requirements: {
      currently_due: [],
      disabled_reason: null,
      eventually_due: [],
      past_due: [],
      pending_verification: [],
    },
    type: params.type ?? 'none',
  }
  setDetails(account, params)
  return insert(ctx.store, 'accounts', account)
}

function update(ctx: Context, params: Values<typeof detailParams>, call: Call): Account {
  const account = getAccount(ctx, call.ids.id ?? '', 'account')
  setDetails(account, params)
  emit(ctx, { ...call, account: account.id }, 'account.updated', account)
  return account
}

function setDetails(account: Account, params: Values<typeof detailParams>): void {
  account.business_profile = params.business_profile ?? account.business_profile
  account.business_type = params.business_type ?? account.business_type
  account.capabilities = { ...account.capabilities, ...params.capabilities }
  account.charges_enabled = account.capabilities.card_payments === 'active'
  account.payouts_enabled = account.capabilities.transfers === 'active'
  account.default_currency = params.default_currency ?? account.default_currency
  account.email = params.email ?? account.email
  account.metadata = applyMetadata(account.metadata, params.metadata)
}

function capabilities(): Param<Account['capabilities']> {
  return {
    read: (raw, name) => {
      const given = anyHash().read(raw, name) as Record<string, { requested?: string }>
      const granted = Object.entries(given).map(([key, { requested }]) => [
        key,
        requested === 'true' ? 'active' : 'inactive',
      ])
      return Object.fromEntries(granted) as Account['capabilities']
    },
  }
}

/** A token or a hash. */
function anything(): Param<unknown> {
  return { read: (raw) => toJson(raw) }
}
