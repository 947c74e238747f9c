import type { Rule } from '@haat/kit/descriptors'
import type { Answer } from '../rpcs.ts'
import type { Identity } from './identities.ts'
import type { Line } from './lines.ts'
import type { World } from './worlds.ts'

/** What a cell comes to: let in, told to sign in, told that it may not, or shown nothing. */
export type Outcome = 'admitted' | 'login' | 'denied' | 'missing'

/** What an answer comes to; undefined for one that no cell may have. */
export function outcomeOf({ status, code }: Pick<Answer, 'status' | 'code'>): Outcome | undefined {
  if (code === 'login_required') return 'login'
  if (status === 'PERMISSION_DENIED') return 'denied'
  if (status === 'NOT_FOUND') return 'missing'
  // A request that the contract itself refuses proves nothing.
  if (code === 'request_invalid' || code === 'request_undecodable') return undefined
  if (['INTERNAL', 'UNKNOWN', 'UNAVAILABLE', 'DEADLINE_EXCEEDED', 'UNIMPLEMENTED', 'CANCELLED'].includes(status))
    return undefined
  return 'admitted'
}

export type Expectation = {
  /** Any of these is right. */
  outcomes: Outcome[]
  /** The caller's business reaches to everything of this kind. */
  extent: 'all' | 'own' | 'none'
  /** Only because of what the object is not; must answer exactly like one that does not exist. */
  asAbsent: boolean
}

/** How far a rule lets somebody in: to everything, to what is theirs, or not at all. */
function reach(rule: Rule, me: Identity): 'all' | 'own' | 'none' {
  if (rule.service && me.kind === 'service') return 'all'
  if (me.kind === 'person' || me.kind === 'tool') {
    if (rule.roles.some((role) => me.roles.includes(role))) return 'all'
    if (rule.permissions.some((permission) => me.permissions.includes(permission))) return 'all'
  }
  if (rule.public) return 'own'
  if (rule.authenticated && me.kind === 'person') return 'own'
  if (rule.vendor && me.vendorId !== undefined && holds(me, rule.vendor.permission)) return 'own'
  return 'none'
}

const holds = ({ vendorPermissions }: Identity, permission: string) =>
  permission === '' || vendorPermissions.includes('*') || vendorPermissions.includes(permission)

/** What the contract says a cell must come to, told without the code that enforces it. */
export function expected(rule: Rule, line: Line, me: Identity, of: World): Expectation {
  let extent = reach(rule, me)
  const only = (outcome: Outcome, asAbsent = false): Expectation => ({ outcomes: [outcome], extent, asAbsent })
  if (extent === 'none') return only(me.kind === 'nobody' || me.kind === 'edge' ? 'login' : 'denied')
  if (line.persons && me.kind !== 'person') return only('denied')
  if (line.also.some((permission) => me.permissions.includes(permission))) extent = 'all'
  if (line.services && me.kind === 'service') extent = 'all'
  if (extent === 'own' && line.inner) {
    extent = reach(line.inner, me)
    if (extent === 'none') return only('denied')
  }
  const nothing = only(line.absent === 'missing' ? 'missing' : 'admitted', true)
  if (line.owner === 'nobody') return only('admitted')
  // Somebody signed in has a cart of their own, and the token is not looked at.
  if (line.owner === 'bearer' && me.kind === 'person')
    return { outcomes: ['admitted', 'missing'], extent, asAbsent: false }
  if (of.name === 'absent') {
    const named = line.by === 'vendorId' && rule.vendor?.field && extent === 'own'
    return named ? only('missing', true) : { ...nothing, asAbsent: extent === 'own' }
  }
  if (extent === 'all' || line.owner === 'everybody' || line.owner === 'bearer') return only('admitted')
  if (line.owner === 'customer') return me.isCustomer && me.home === of.name ? only('admitted') : nothing
  const isMember = me.vendorId !== undefined && me.home === of.name
  const may =
    line.member === undefined ||
    me.vendorPermissions.includes('*') ||
    (line.member !== 'owner' && holds(me, line.member))
  if (isMember && may) return only('admitted')
  return line.by === 'vendorId' && rule.vendor?.field ? only('missing', true) : nothing
}
