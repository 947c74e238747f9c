import { newId } from '@haat/kit/id'
import { UserStatus } from '@haat/proto/auth/v1/auth'
import { RolePermissionsChanged, UserBlocked, UserRolesChanged, UserUnblocked } from '@haat/proto/auth/v1/events'
import { beforeAll, expect, test } from 'vitest'
import { ADMIN, PASSWORD, SERVICES, startHarness } from './harness.ts'

const h = await startHarness()
const { anyone } = h
type Person = Awaited<ReturnType<typeof h.register>>
let admin: Person
let manager: Person
let reader: Person
beforeAll(async () => {
  admin = await h.admin()
  await admin.client.upsertRole({ name: 'user_manager', permissions: ['users.read', 'users.write'] })
  manager = await h.withRoles('user_manager')
  reader = await h.withRoles('staff')
})

test('the first super_admin comes from the configuration and holds every permission there is', async () => {
  const { roles, permissions } = await admin.client.listRoles({})
  expect(admin.claims).toMatchObject({ roles: ['customer', 'super_admin'], permissions })
  expect(roles.filter((role) => role.builtIn).map((role) => role.name)).toEqual([
    'customer',
    'staff',
    'super_admin',
    'vendor_admin',
  ])
  expect(roles.find((role) => role.name === 'super_admin')?.permissions).toEqual(permissions)
  expect(reader.claims.permissions).toContain('users.read')
  expect(reader.claims.permissions).not.toContain('users.write')
})

test('where a role is needed to sign in, a right password without it is refused and opens no session', async () => {
  const roles = ['super_admin', 'staff']
  expect((await anyone.login({ email: reader.email, password: PASSWORD, roles })).user?.roles).toContain('staff')
  const customer = await h.register()
  const sessions = async () => (await customer.client.listSessions({})).sessions.length
  const before = await sessions()
  await expect(anyone.login({ email: customer.email, password: PASSWORD, roles })).rejects.toMatchObject({
    status: 'PERMISSION_DENIED',
    code: 'not_for_you',
  })
  expect(await sessions()).toBe(before)
})

test('restarting makes no second administrator, and an operator’s changes to staff stay', async () => {
  const { roles } = await admin.client.listRoles({})
  const staff = roles.find((role) => role.name === 'staff')!
  const less = staff.permissions.filter((key) => key !== 'orders.write')
  await admin.client.upsertRole({ name: 'staff', permissions: less })
  await h.test.restart()
  const after = await admin.client.listRoles({})
  expect(after.roles.find((role) => role.name === 'staff')?.permissions).toEqual(less)
  expect((await admin.client.listUsers({ role: 'super_admin' })).users.map((u) => u.email)).toEqual([ADMIN.email])
})

test('permissions are the union of all roles, at the next refresh', async () => {
  const who = await h.withRoles('staff', 'user_manager')
  expect(who.claims.roles).toEqual(['customer', 'staff', 'user_manager'])
  expect(who.claims.permissions).toEqual([...new Set(who.claims.permissions)].sort())
  expect(who.claims.permissions).toEqual(expect.arrayContaining(['users.write', 'catalog.read']))
  await admin.client.revokeRole({ userId: who.userId, role: 'staff' })
  const { tokens } = await anyone.refresh({ refreshToken: who.refreshToken })
  const claims = JSON.parse(Buffer.from(tokens!.accessToken.split('.')[1]!, 'base64url').toString())
  expect(claims).toMatchObject({ roles: ['customer', 'user_manager'], permissions: ['users.read', 'users.write'] })
})

test('giving and taking a role is announced once, when something changed', async () => {
  const { userId } = await h.register()
  await admin.client.assignRole({ userId, role: 'staff' })
  expect((await admin.client.assignRole({ userId, role: 'staff' })).user?.roles).toEqual(['customer', 'staff'])
  await admin.client.revokeRole({ userId, role: 'staff' })
  expect((await admin.client.revokeRole({ userId, role: 'staff' })).user?.roles).toEqual(['customer'])
  const changes = (await h.test.emitted(UserRolesChanged)).filter((e) => e.data.userId === userId)
  expect(changes.map((e) => e.data)).toEqual([
    { userId, roles: ['customer', 'staff'], assigned: ['staff'], revoked: [] },
    { userId, roles: ['customer'], assigned: [], revoked: ['staff'] },
  ])
  expect(changes[0]?.envelope.actor).toEqual({ type: 'user', id: admin.userId })
})

test('nobody gives more than they have', async () => {
  const { userId } = await h.register()
  const forbidden = { status: 'PERMISSION_DENIED', code: 'role_forbidden' }
  for (const role of ['super_admin', 'staff'])
    await expect(manager.client.assignRole({ userId, role })).rejects.toMatchObject(forbidden)
  await expect(manager.client.assignRole({ userId: manager.userId, role: 'super_admin' })).rejects.toMatchObject(
    forbidden,
  )
  await expect(manager.client.revokeRole({ userId: admin.userId, role: 'super_admin' })).rejects.toMatchObject(
    forbidden,
  )
  await manager.client.assignRole({ userId, role: 'user_manager' })
  await expect(admin.client.assignRole({ userId, role: 'vendor_admin' })).rejects.toMatchObject({
    status: 'FAILED_PRECONDITION',
    code: 'role_managed',
  })
  await expect(admin.client.assignRole({ userId, role: 'wizard' })).rejects.toMatchObject({ code: 'role_not_found' })
  await expect(admin.client.assignRole({ userId: newId(), role: 'staff' })).rejects.toMatchObject({
    code: 'user_not_found',
  })
  await expect(reader.client.assignRole({ userId, role: 'customer' })).rejects.toMatchObject({
    code: 'permission_missing',
  })
})

test('a blocked person is out at once and cannot come back until unblocked', async () => {
  const who = await h.register()
  const blocked = await manager.client.setUserStatus({
    userId: who.userId,
    status: UserStatus.BLOCKED,
    reason: 'fraud',
  })
  expect(blocked.user?.status).toBe(UserStatus.BLOCKED)
  await manager.client.setUserStatus({ userId: who.userId, status: UserStatus.BLOCKED, reason: 'again' })
  await expect(who.client.getMe({})).rejects.toMatchObject({ status: 'UNAUTHENTICATED' })
  const isBlocked = { status: 'PERMISSION_DENIED', code: 'account_blocked' }
  await expect(anyone.refresh({ refreshToken: who.refreshToken })).rejects.toMatchObject(isBlocked)
  await expect(anyone.login({ email: who.email, password: PASSWORD })).rejects.toMatchObject(isBlocked)
  await expect(anyone.login({ email: who.email, password: 'wrong' })).rejects.toMatchObject({
    code: 'credentials_invalid',
  })
  await anyone.forgotPassword({ email: who.email })
  expect(await h.resetToken(who.email)).toBeUndefined()

  const open = await manager.client.setUserStatus({ userId: who.userId, status: UserStatus.ACTIVE, reason: 'mistake' })
  expect(open.user?.status).toBe(UserStatus.PENDING)
  await expect(anyone.refresh({ refreshToken: who.refreshToken })).rejects.toMatchObject({
    code: 'refresh_token_invalid',
  })
  await h.login(who.email)
  const events = [...(await h.test.emitted(UserBlocked)), ...(await h.test.emitted(UserUnblocked))]
  expect(events.filter((e) => e.data.userId === who.userId).map((e) => e.data.reason)).toEqual(['fraud', 'mistake'])
})

test('signing in while being blocked never leaves an open session', async () => {
  for (let i = 0; i < 8; i++) {
    const who = await h.register()
    const [signedIn] = await Promise.all([
      h.login(who.email).catch(() => undefined),
      admin.client.setUserStatus({ userId: who.userId, status: UserStatus.BLOCKED, reason: 'race' }),
    ])
    if (signedIn) await expect(signedIn.client.getMe({})).rejects.toMatchObject({ status: 'UNAUTHENTICATED' })
    const open = await h.db
      .selectFrom('sessions')
      .select('id')
      .where('user_id', '=', who.userId)
      .where('revoked_at', 'is', null)
      .execute()
    expect(open).toEqual([])
  }
})

test('there is always a super_admin, even when two take each other away at once', async () => {
  const required = { status: 'FAILED_PRECONDITION', code: 'super_admin_required' }
  await expect(admin.client.revokeRole({ userId: admin.userId, role: 'super_admin' })).rejects.toMatchObject(required)
  await expect(
    admin.client.setUserStatus({ userId: admin.userId, status: UserStatus.BLOCKED, reason: 'x' }),
  ).rejects.toMatchObject(required)
  const second = await h.withRoles('super_admin')
  const answers = await Promise.allSettled([
    admin.client.revokeRole({ userId: second.userId, role: 'super_admin' }),
    second.client.revokeRole({ userId: admin.userId, role: 'super_admin' }),
  ])
  expect(answers.filter((a) => a.status === 'fulfilled')).toHaveLength(1)
  const left = await h.db
    .selectFrom('user_roles')
    .innerJoin('roles', 'roles.id', 'user_roles.role_id')
    .select('user_id')
    .where('roles.name', '=', 'super_admin')
    .execute()
  expect(left).toHaveLength(1)
  if (left[0]?.user_id !== admin.userId) await second.client.assignRole({ userId: admin.userId, role: 'super_admin' })
  const root = await h.admin()
  await root.client.revokeRole({ userId: second.userId, role: 'super_admin' })
  await expect(
    manager.client.setUserStatus({ userId: root.userId, status: UserStatus.BLOCKED, reason: 'x' }),
  ).rejects.toMatchObject({
    code: 'role_forbidden',
  })
})

test('accounts are found by status, role and part of the name or address, newest first', async () => {
  const tag = newId().slice(-8)
  const people = []
  for (const name of ['100% Anika', 'Anika_B', 'Anika C'])
    people.push((await anyone.register({ email: `${tag}.${people.length}@haat.test`, password: PASSWORD, name })).user!)
  await admin.client.assignRole({ userId: people[2]!.id, role: 'staff' })
  const list = async (request: object) => (await reader.client.listUsers(request)).users.map((u) => u.id)
  const [a, b, c] = people.map((user) => user.id)
  expect(await list({ query: tag.toUpperCase() })).toEqual([c, b, a])
  expect(await list({ query: '100%' })).toEqual([a])
  expect(await list({ query: 'ka_B' })).toEqual([b])
  expect(await list({ query: tag, role: 'staff' })).toEqual([c])
  expect(await list({ query: tag, status: UserStatus.ACTIVE })).toEqual([])
  const page = await reader.client.listUsers({ query: tag, pageSize: 2 })
  expect(await list({ query: tag, pageSize: 2, pageToken: page.nextPageToken })).toEqual([a])
  await expect(reader.client.listUsers({ pageToken: 'x' })).rejects.toMatchObject({ code: 'page_token_invalid' })
})

test('staff and services read any account, others only their own', async () => {
  const who = await h.register()
  const order = h.as({ serviceToken: await h.serviceToken('order', SERVICES.order[1]!) })
  for (const client of [reader.client, order])
    expect((await client.getUser({ userId: who.userId })).user?.email).toBe(who.email)
  expect((await order.batchGetUsers({ userIds: [who.userId, newId()] })).users.map((u) => u.id)).toEqual([who.userId])
  await expect(who.client.getUser({ userId: admin.userId })).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(reader.client.getUser({ userId: newId() })).rejects.toMatchObject({
    status: 'NOT_FOUND',
    code: 'user_not_found',
  })
  await expect(order.lookupUser({ email: h.newEmail() })).rejects.toMatchObject({ code: 'user_not_found' })
})

test('a role’s permissions are replaced and announced; super_admin and unknown keys are refused', async () => {
  const set = (permissions: string[]) => admin.client.upsertRole({ name: 'auditor', permissions })
  expect((await set(['orders.read', 'ledger.read'])).role).toEqual({
    name: 'auditor',
    permissions: ['ledger.read', 'orders.read'],
    builtIn: false,
  })
  await set(['ledger.read', 'orders.read'])
  await set(['ledger.read', 'users.read'])
  const changes = (await h.test.emitted(RolePermissionsChanged)).filter((e) => e.data.role === 'auditor')
  expect(changes.map((e) => e.data)).toMatchObject([
    { added: ['ledger.read', 'orders.read'], removed: [] },
    { added: ['users.read'], removed: ['orders.read'], permissions: ['ledger.read', 'users.read'] },
  ])
  await expect(set(['orders.fly'])).rejects.toMatchObject({
    code: 'permission_unknown',
    details: { permissions: ['orders.fly'] },
  })
  await expect(admin.client.upsertRole({ name: 'super_admin', permissions: [] })).rejects.toMatchObject({
    code: 'role_managed',
  })
  await expect(manager.client.upsertRole({ name: 'auditor', permissions: [] })).rejects.toMatchObject({
    status: 'PERMISSION_DENIED',
  })
})

test('a tool’s account gets tokens with its permissions until it is revoked', async () => {
  const { serviceAccount, clientSecret } = await admin.client.createServiceAccount({
    name: 'exporter',
    permissions: ['users.read'],
  })
  const clientId = serviceAccount!.id
  const { accessToken } = await anyone.issueServiceToken({ clientId, clientSecret })
  const tool = h.as({ token: accessToken })
  expect((await tool.listUsers({ pageSize: 1 })).users).toHaveLength(1)
  await expect(tool.getMe({})).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(tool.lookupUser({ email: ADMIN.email })).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(h.as({ serviceToken: accessToken }).getJwks({})).rejects.toMatchObject({ code: 'token_invalid' })
  await expect(admin.client.createServiceAccount({ name: 'exporter', permissions: [] })).rejects.toMatchObject({
    status: 'ALREADY_EXISTS',
    code: 'service_account_exists',
  })
  await expect(admin.client.createServiceAccount({ name: 'order', permissions: [] })).rejects.toMatchObject({
    code: 'service_account_exists',
  })
  await expect(admin.client.createServiceAccount({ name: 'odd', permissions: ['a_a.b_b'] })).rejects.toMatchObject({
    code: 'permission_unknown',
  })

  const revoked = await admin.client.revokeServiceAccount({ serviceAccountId: clientId })
  expect(await admin.client.revokeServiceAccount({ serviceAccountId: clientId })).toEqual(revoked)
  await expect(anyone.issueServiceToken({ clientId, clientSecret })).rejects.toMatchObject({
    code: 'credentials_invalid',
  })
  const { serviceAccounts } = await admin.client.listServiceAccounts({})
  expect(serviceAccounts.map((account) => [account.name, account.revokedAt !== undefined])).toEqual([
    ['exporter', true],
  ])
  await expect(admin.client.revokeServiceAccount({ serviceAccountId: newId() })).rejects.toMatchObject({
    code: 'service_account_not_found',
  })
})
