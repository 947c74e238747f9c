import { ruleOf } from '@haat/kit/descriptors'
import { PASSWORD } from '../market.ts'
import { type Credentials, rpcMethods } from '../rpcs.ts'
import type { Stage } from '../stage.ts'
import type { Identity } from './identities.ts'
import type { Line } from './lines.ts'
import { PLAIN_ROLE } from './rpc-lines.ts'

const VENDOR_PERMISSIONS = [
  'profile.write',
  'members.write',
  'catalog.write',
  'inventory.write',
  'orders.read',
  'orders.write',
  'coupons.write',
  'payouts.read',
  'payouts.request',
  'reviews.reply',
  'shipping.write',
]

/** Platform permissions and the permission inside a vendor that decide over an RPC. */
export type Needs = { platform: string[]; inVendor: string }

/** What an RPC's rule and lines ask for. */
export function needsOf(name: string, lines: Line[]): Needs {
  const rule = ruleOf(rpcMethods().get(name)!)!
  const inner = lines.flatMap((line) => line.inner ?? [])
  const platform = [
    ...rule.permissions,
    ...lines.flatMap(({ also }) => also),
    ...inner.flatMap(({ permissions }) => permissions),
  ]
  const [inVendor = ''] = [
    rule.vendor?.permission,
    ...inner.map(({ vendor }) => vendor?.permission),
    ...lines.map(({ member }) => (member === 'owner' ? 'members.write' : member)),
  ].filter((permission) => permission)
  return { platform: [...new Set(platform)].sort(), inVendor }
}

export type Cast = {
  /** Everybody who calls an RPC with these needs. */
  of(needs: Needs): Identity[]
  /** How many identities there are. */
  size: number
}

const nobody: Identity = {
  name: 'anonymous',
  kind: 'nobody',
  who: {},
  roles: [],
  permissions: [],
  home: 'A',
  isCustomer: false,
  vendorId: undefined,
  vendorPermissions: [],
}

/**
 * Everybody who plays a part, with tokens that auth signed: those of both worlds, and for every set of permissions that
 * some RPC asks for, members of the vendor, staff and tools that hold all others or just it.
 */
export async function gatherCast(
  { devnet, rpcs, admin, worlds, residents }: Stage,
  needed: readonly Needs[],
): Promise<Cast> {
  const { permissions: all } = await rpcs.ask('auth.ListRoles', {}, admin)
  await rpcs.ask('auth.UpsertRole', { name: PLAIN_ROLE, permissions: [] }, admin)
  const login = async (email: string): Promise<Credentials> => ({
    token: (await rpcs.ask('auth.Login', { email, password: PASSWORD })).tokens.accessToken,
  })
  const person = (name: string, who: Credentials, more: Partial<Identity>): Identity => ({
    ...nobody,
    name,
    kind: 'person',
    who,
    ...more,
  })
  let count = 0
  const account = async (): Promise<{ email: string; userId: string }> => {
    const email = `cast.${++count}@example.com`
    const { user } = await rpcs.ask('auth.Register', { email, password: PASSWORD, name: 'One of the cast' })
    return { email, userId: user.id }
  }

  // One person of the staff plays them all: a token keeps what its role could do when it was signed.
  const employee = await account()
  const ROLE = 'cast'
  await rpcs.ask('auth.UpsertRole', { name: ROLE, permissions: [] }, admin)
  await rpcs.ask('auth.UpsertRole', { name: 'staff', permissions: [] }, admin)
  for (const role of ['staff', ROLE]) await rpcs.ask('auth.AssignRole', { userId: employee.userId, role }, admin)
  const staffOf = async (name: string, permissions: string[]): Promise<Identity> => {
    await rpcs.ask('auth.UpsertRole', { name: ROLE, permissions }, admin)
    return person(name, await login(employee.email), { roles: ['customer', 'staff', ROLE], permissions })
  }
  const toolOf = async (name: string, permissions: string[]): Promise<Identity> => {
    const answer = await rpcs.ask('auth.CreateServiceAccount', { name: `cast-${++count}`, permissions }, admin)
    const { accessToken } = await rpcs.ask('auth.IssueServiceToken', {
      clientId: answer.serviceAccount.id,
      clientSecret: answer.clientSecret,
    })
    return { ...nobody, name, kind: 'tool', who: { token: accessToken }, permissions }
  }
  const seller = { token: residents.A.own.identity.token! }
  const members: { identity: Identity; email: string }[] = []
  const memberOf = async (name: string, vendorPermissions: string[]): Promise<Identity> => {
    const { email } = await account()
    const { vendorId } = worlds.A
    await rpcs.ask('vendor.InviteMember', { vendorId, email, permissions: vendorPermissions }, seller)
    const identity = person(name, {}, { vendorId, vendorPermissions })
    members.push({ identity, email })
    return identity
  }
  const processToken = async (clientId: string) =>
    (await rpcs.ask('auth.IssueServiceToken', { clientId, clientSecret: devnet.clientSecret(clientId) })).accessToken

  const own = async (name: string, home: 'A' | 'B') => {
    const { email } = residents[home].buyer
    return person(name, await login(email), { home, isCustomer: true, roles: ['customer'] })
  }
  const owner = async (name: string, home: 'A' | 'B') => {
    const { login: credentials, vendorId } = residents[home].own
    return person(name, await login(credentials.email), { home, vendorId, vendorPermissions: ['*'] })
  }
  const everywhere: Identity[] = [
    nobody,
    await own('customer', 'A'),
    await own('foreign customer', 'B'),
    await owner('vendor', 'A'),
    await owner('foreign vendor', 'B'),
    person('super_admin', admin, { roles: ['super_admin'], permissions: all }),
    { ...nobody, name: "Haat's own service", kind: 'service', who: { serviceToken: await processToken('order') } },
    { ...nobody, name: 'a BFF alone', kind: 'edge', who: { serviceToken: await processToken('bff-storefront') } },
  ]

  const offices = new Map<string, Identity[]>()
  const memberships = new Map<string, Identity[]>()
  for (const { platform, inVendor } of needed) {
    const office = platform.join()
    if (!offices.has(office)) {
      const rest = all.filter((permission: string) => !platform.includes(permission))
      const found = [
        await staffOf('staff without the permission', rest),
        await toolOf('service account without the permission', rest),
      ]
      if (platform[0]) {
        found.push(await staffOf('staff with the permission', [platform[0]]))
        found.push(await toolOf('service account with the permission', [platform[0]]))
      }
      offices.set(office, found)
    }
    if (!memberships.has(inVendor)) {
      const rest = VENDOR_PERMISSIONS.filter((permission) => permission !== inVendor)
      const found = [await memberOf(inVendor ? 'vendor staff without the permission' : 'vendor staff', rest)]
      if (inVendor) found.push(await memberOf('vendor staff with the permission', [inVendor]))
      memberships.set(inVendor, found)
    }
  }
  // A membership reaches auth with an event; only tokens signed after it carry the vendor.
  await devnet.settle()
  for (const { identity, email } of members) identity.who = await login(email)
  return {
    of: ({ platform, inVendor }) => [...everywhere, ...memberships.get(inVendor)!, ...offices.get(platform.join())!],
    size: [...memberships.values(), ...offices.values()].reduce((sum, { length }) => sum + length, everywhere.length),
  }
}
