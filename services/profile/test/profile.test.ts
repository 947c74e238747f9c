import { newId } from '@haat/kit/id'
import { UserCreated } from '@haat/proto/auth/v1/events'
import { ProfileUpdated, UserForgotten } from '@haat/proto/profile/v1/events'
import { neighbour, staff } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { address, startHarness } from './harness.ts'

const h = await startHarness()
const created = (userId: string, more: Partial<UserCreated> = {}): UserCreated => ({
  userId,
  email: 'rahima@haat.test',
  name: 'Rahima Khatun',
  phone: '+8801712345678',
  locale: 'bn',
  createdAt: new Date('2024-01-01T00:00:00Z'),
  ...more,
})
const updatesOf = async (userId: string) =>
  (await h.test.emitted(ProfileUpdated)).filter((e) => e.data.userId === userId).map((e) => e.data)

test('a new account gets a profile with what was said at registration, once', async () => {
  const { userId, client } = await h.person()
  expect((await client.getProfile({})).profile).toMatchObject({ userId, name: '', locale: 'en', marketingOptIn: false })
  const envelope = await h.test.publish(UserCreated, created(userId))
  await h.test.publishRaw(envelope)
  expect((await client.getProfile({})).profile).toMatchObject({
    userId,
    name: 'Rahima Khatun',
    phone: '+8801712345678',
    locale: 'bn',
    createdAt: new Date('2024-01-01T00:00:00Z'),
  })
})

test('what the person told before the account’s event arrived stays', async () => {
  const { userId, client } = await h.person()
  await client.updateProfile({ phone: '', locale: 'en' })
  await h.test.publish(UserCreated, created(userId))
  expect((await client.getProfile({})).profile).toMatchObject({ name: 'Rahima Khatun', phone: '', locale: 'en' })
})

test('a number no country has is not taken over from registration', async () => {
  const { userId, client } = await h.person()
  await h.test.publish(UserCreated, created(userId, { phone: '+9991234567' }))
  expect((await client.getProfile({})).profile).toMatchObject({ name: 'Rahima Khatun', phone: '' })
})

test('an update changes what it names, clears what it empties, and is announced when something changed', async () => {
  const { userId, client } = await h.person()
  await h.test.publish(UserCreated, created(userId))
  await client.updateProfile({ dob: '1990-02-28', avatarUrl: 'https://img.haat.test/a.webp', marketingOptIn: true })
  const { profile } = await client.updateProfile({ name: 'Rahima Begum' })
  expect(profile).toMatchObject({
    name: 'Rahima Begum',
    dob: '1990-02-28',
    avatarUrl: 'https://img.haat.test/a.webp',
    marketingOptIn: true,
  })
  expect((await client.updateProfile({ name: 'Rahima Begum' })).profile).toEqual(profile)
  const cleared = await client.updateProfile({ phone: '', dob: '', avatarUrl: '', marketingOptIn: false })
  expect(cleared.profile).toMatchObject({ phone: '', dob: '', avatarUrl: '', marketingOptIn: false })
  expect((await client.getProfile({})).profile).toEqual(cleared.profile)
  expect(await updatesOf(userId)).toEqual([
    { userId, name: 'Rahima Khatun', phone: '+8801712345678', locale: 'bn', marketingOptIn: true },
    { userId, name: 'Rahima Begum', phone: '+8801712345678', locale: 'bn', marketingOptIn: true },
    { userId, name: 'Rahima Begum', phone: '', locale: 'bn', marketingOptIn: false },
  ])
})

test('updates of different fields at once are all kept', async () => {
  const { client } = await h.person()
  await Promise.all([
    client.updateProfile({ name: 'Rahima' }),
    client.updateProfile({ phone: '+8801712345678' }),
    client.updateProfile({ locale: 'bn' }),
    client.updateProfile({ dob: '2000-02-29' }),
  ])
  expect((await client.getProfile({})).profile).toMatchObject({
    name: 'Rahima',
    phone: '+8801712345678',
    locale: 'bn',
    dob: '2000-02-29',
  })
})

test('a nonsense update changes nothing', async () => {
  const { userId, client } = await h.person()
  for (const dob of ['2023-02-29', '1899-12-31', '2999-01-01'])
    await expect(client.updateProfile({ name: 'X', dob })).rejects.toMatchObject({
      status: 'INVALID_ARGUMENT',
      code: 'dob_invalid',
    })
  await expect(client.updateProfile({ phone: '+9991234567' })).rejects.toMatchObject({ code: 'phone_invalid' })
  for (const request of [{ phone: '0171' }, { locale: 'fr' }, { avatarUrl: 'javascript:alert(1)' }, { name: '' }])
    await expect(client.updateProfile(request)).rejects.toMatchObject({ code: 'request_invalid' })
  await expect(h.as().updateProfile({ name: 'X' })).rejects.toMatchObject({ status: 'UNAUTHENTICATED' })
  expect((await client.getProfile({})).profile?.name).toBe('')
  expect(await updatesOf(userId)).toEqual([])
})

test('services and staff read profiles of many, others only their own', async () => {
  const [a, b, left] = [await h.person(), await h.person(), await h.person()]
  for (const { userId } of [a, b, left]) await h.test.publish(UserCreated, created(userId))
  await left.client.forgetMe({ confirm: true })
  const request = { userIds: [a.userId, b.userId, left.userId, newId()] }
  for (const client of [h.as(await neighbour('order')), h.as(await staff('users.read'))]) {
    const { profiles } = await client.batchGetProfiles(request)
    expect(profiles.map((p) => p.userId).sort()).toEqual([a.userId, b.userId].sort())
  }
  await expect(a.client.batchGetProfiles(request)).rejects.toMatchObject({ status: 'PERMISSION_DENIED' })
  await expect(h.as(await staff('orders.read')).batchGetProfiles(request)).rejects.toMatchObject({
    status: 'PERMISSION_DENIED',
  })
})

test('an export holds everything there is about the person and nothing of others', async () => {
  const [me, other] = [await h.person(), await h.person()]
  await h.test.publish(UserCreated, created(me.userId))
  await me.client.updateProfile({ dob: '1990-02-28' })
  await me.client.createAddress({ label: 'বাসা', address: address() })
  await other.client.createAddress({ label: 'Other', address: address({ name: 'Somebody Else' }) })
  const text = Buffer.from((await me.client.exportMyData({})).json).toString('utf8')
  expect(JSON.parse(text)).toMatchObject({
    profile: { userId: me.userId, name: 'Rahima Khatun', phone: '+8801712345678', dob: '1990-02-28', locale: 'bn' },
    addresses: [{ label: 'বাসা', isDefault: true, address: { line1: '12 Lake Road', country: 'BD' } }],
    exportedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
  })
  expect(text).not.toContain('Somebody Else')
})

test('leaving blanks everything, is announced once however often it is asked for, and is final', async () => {
  const { userId, client } = await h.person()
  const envelope = await h.test.publish(UserCreated, created(userId))
  await client.updateProfile({ dob: '1990-02-28', avatarUrl: 'https://img.haat.test/a.webp', marketingOptIn: true })
  await client.createAddress({ address: address() })
  await expect(client.forgetMe({ confirm: false })).rejects.toMatchObject({ code: 'request_invalid' })
  await Promise.all(Array.from({ length: 5 }, () => client.forgetMe({ confirm: true })))
  await client.forgetMe({ confirm: true })

  const forgotten = (await h.test.emitted(UserForgotten)).filter((e) => e.data.userId === userId)
  expect(forgotten).toHaveLength(1)
  await h.test.publishRaw({ ...envelope, eventId: newId() })
  const row = await h.db.selectFrom('profiles').selectAll().where('user_id', '=', userId).executeTakeFirstOrThrow()
  expect(row).toMatchObject({
    name: null,
    phone: null,
    avatar_url: '',
    dob: null,
    locale: null,
    marketing_opt_in: false,
  })
  expect((await client.getProfile({})).profile).toMatchObject({ name: '', phone: '', dob: '' })
  expect((await client.listAddresses({})).addresses).toEqual([])
  const gone = { status: 'FAILED_PRECONDITION', code: 'profile_forgotten' }
  await expect(client.updateProfile({ name: 'Back' })).rejects.toMatchObject(gone)
  await expect(client.createAddress({ address: address() })).rejects.toMatchObject(gone)
})
