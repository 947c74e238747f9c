import type { Rule } from '@haat/kit/descriptors'
import type { Identity } from './identities.ts'
import type { World } from './worlds.ts'

/**
 * What the matrix must know about an RPC besides its rule in the contract: which object a request names and whose that is.
 * An RPC that can name several has several lines.
 */
export type Line = {
  /** The field of a world that the request names; undefined: it names nothing that could be somebody else's. */
  by: keyof World | undefined
  /**
   * Whose it is: `customer` and `vendor` have what others must not see; `everybody` who is admitted may see it; with `bearer`
   * whoever holds the token.
   */
  owner: 'nobody' | 'everybody' | 'customer' | 'vendor' | 'bearer'
  /** How something that does not exist answers: NOT_FOUND, or the same way as something that is not the caller's. */
  absent: 'missing' | 'same'
  request(of: World, me: Identity): object
  /** Platform permissions that open it besides the rule's. */
  also: string[]
  /** Haat's own services see it whoever owns it, although the rule alone does not say so. */
  services: boolean
  /** Members of the vendor are those of vendor's table: the owner only, or with this permission; others find nothing. */
  member: string | undefined
  /** Only a person may, not a tool. */
  persons: boolean
  /** What the handler asks for besides the rule; refused with PERMISSION_DENIED. */
  inner: Rule | undefined
  /** The request names nothing; it is about what is the caller's own, if anything is. */
  mine: boolean
  /** Makes anew what an admitted call uses up. */
  renew: ((of: World) => Promise<Partial<World>>) | undefined
}

type More = Partial<Omit<Line, 'by' | 'owner'>>

const line = (owner: Line['owner'], by: keyof World | undefined, more: More): Line => ({
  by,
  owner,
  absent: 'missing',
  request: (of) => (by ? { [by]: of[by] } : {}),
  also: [],
  services: false,
  member: undefined,
  persons: false,
  inner: undefined,
  mine: false,
  renew: undefined,
  ...more,
})

/** Names no object. */
export const free = (request: (of: World, me: Identity) => object = () => ({}), more: More = {}): Line =>
  line('nobody', undefined, { request, ...more })
/** Names something that everybody may see who may call. */
export const shared = (by: keyof World, more: More = {}): Line => line('everybody', by, more)
/** Names something of a customer. */
export const customers = (by: keyof World, more: More = {}): Line => line('customer', by, more)
/** Names something of a vendor. */
export const vendors = (by: keyof World, more: More = {}): Line => line('vendor', by, more)
/** Names something by the secret that opens it. */
export const bearers = (by: keyof World, more: More = {}): Line => line('bearer', by, more)
