import { newId } from '@haat/kit/id'
import { expect, test } from 'vitest'
import { address, startHarness } from './harness.ts'

const h = await startHarness()
type Person = Awaited<ReturnType<typeof h.person>>
const add = async ({ client }: Person, label: string, makeDefault = false) =>
  (await client.createAddress({ label, address: address(), makeDefault })).address!
const labels = async ({ client }: Person) => (await client.listAddresses({})).addresses.map((a) => a.label)
const defaults = async ({ client }: Person) =>
  (await client.listAddresses({})).addresses.filter((a) => a.isDefault).map((a) => a.label)

test('the first address is the default, later ones only when asked; the default is listed first, then the newest', async () => {
  const me = await h.person()
  expect(await add(me, 'first')).toMatchObject({ label: 'first', isDefault: true, address: address() })
  expect(await add(me, 'second')).toMatchObject({ isDefault: false })
  await add(me, 'third')
  expect(await labels(me)).toEqual(['first', 'third', 'second'])
  expect(await add(me, 'fourth', true)).toMatchObject({ isDefault: true })
  expect(await labels(me)).toEqual(['fourth', 'third', 'second', 'first'])
  expect(await defaults(me)).toEqual(['fourth'])
})

test('however many addresses are added, chosen and deleted at once, exactly one is the default', async () => {
  const me = await h.person()
  const added = await Promise.all(Array.from({ length: 12 }, (_, i) => add(me, `a${i}`, i % 2 === 0)))
  expect(await defaults(me)).toHaveLength(1)
  await Promise.allSettled(
    added.map(({ id: addressId }, i) =>
      i % 3 === 0 ? me.client.deleteAddress({ addressId }) : me.client.setDefaultAddress({ addressId }),
    ),
  )
  expect(await labels(me)).toHaveLength(8)
  expect(await defaults(me)).toHaveLength(1)
})

test('the database itself refuses a second default', async () => {
  const me = await h.person()
  await add(me, 'one')
  await add(me, 'two')
  await expect(
    h.db.updateTable('addresses').set({ is_default: true }).where('user_id', '=', me.userId).execute(),
  ).rejects.toThrow('addresses_one_default')
})

test('when the default is deleted, the newest of the others becomes it; the last leaves none', async () => {
  const me = await h.person()
  const [first] = [await add(me, 'first'), await add(me, 'second'), await add(me, 'third')]
  await me.client.deleteAddress({ addressId: first.id })
  expect(await defaults(me)).toEqual(['third'])
  for (const { id: addressId } of (await me.client.listAddresses({})).addresses)
    await me.client.deleteAddress({ addressId })
  expect(await labels(me)).toEqual([])
  await expect(me.client.deleteAddress({ addressId: first.id })).rejects.toMatchObject({ code: 'address_not_found' })
  expect(await add(me, 'again')).toMatchObject({ isDefault: true })
})

test('choosing a default bears repeating', async () => {
  const me = await h.person()
  await add(me, 'first')
  const { id: addressId } = await add(me, 'second')
  const once = await me.client.setDefaultAddress({ addressId })
  expect(await me.client.setDefaultAddress({ addressId })).toEqual(once)
  expect(await defaults(me)).toEqual(['second'])
})

test('an update changes what it names and replaces the postal address whole', async () => {
  const me = await h.person()
  const { id: addressId } = await add(me, 'home')
  expect((await me.client.updateAddress({ addressId, label: 'Home' })).address).toMatchObject({
    label: 'Home',
    address: address(),
  })
  const moved = address({ line1: '1 High Street', city: 'London', country: 'GB', postalCode: 'N1 9GU', phone: '' })
  expect((await me.client.updateAddress({ addressId, address: moved })).address).toMatchObject({
    label: 'Home',
    address: moved,
    isDefault: true,
  })
})

test('a person has at most 50 addresses, even when they come at once', async () => {
  const me = await h.person()
  const answers = await Promise.allSettled(Array.from({ length: 55 }, (_, i) => add(me, `a${i}`)))
  expect(answers.filter((a) => a.status === 'fulfilled')).toHaveLength(50)
  const codes = new Set(answers.flatMap((a) => (a.status === 'rejected' ? [a.reason.code] : [])))
  expect([...codes]).toEqual(['address_limit_reached'])
})

test('a country that does not exist, a number nobody has and an incomplete address are refused', async () => {
  const me = await h.person()
  const { id: addressId } = await add(me, 'home')
  const wrong = [
    [address({ country: 'XX' }), 'country_unknown'],
    [address({ phone: '+9991234567' }), 'phone_invalid'],
    [address({ country: 'bd' }), 'request_invalid'],
    [address({ line1: '' }), 'request_invalid'],
  ] as const
  for (const [it, code] of wrong) {
    await expect(me.client.createAddress({ address: it })).rejects.toMatchObject({ status: 'INVALID_ARGUMENT', code })
    await expect(me.client.updateAddress({ addressId, address: it })).rejects.toMatchObject({
      status: 'INVALID_ARGUMENT',
      code,
    })
  }
  await expect(me.client.createAddress({ label: 'none' })).rejects.toMatchObject({ code: 'request_invalid' })
  expect((await me.client.listAddresses({})).addresses.map((a) => a.address)).toEqual([address()])
})

test('somebody else’s address answers exactly like one that does not exist, and stays as it is', async () => {
  const [me, stranger] = [await h.person(), await h.person()]
  const { id } = await add(me, 'home')
  const calls = (addressId: string) => [
    stranger.client.updateAddress({ addressId, label: 'mine' }),
    stranger.client.deleteAddress({ addressId }),
    stranger.client.setDefaultAddress({ addressId }),
  ]
  const answers = async (addressId: string) =>
    (await Promise.allSettled(calls(addressId))).map(
      (a) => a.status === 'rejected' && [a.reason.status, a.reason.code, a.reason.message],
    )
  const foreign = await answers(id)
  expect(foreign).toEqual(await answers(newId()))
  expect(foreign).toEqual(Array.from({ length: 3 }, () => ['NOT_FOUND', 'address_not_found', 'no such address']))
  expect(await labels(me)).toEqual(['home'])
  expect(await labels(stranger)).toEqual([])
  await expect(h.as().listAddresses({})).rejects.toMatchObject({ status: 'UNAUTHENTICATED' })
})
