import { inputOf } from '@haat/kit/http/input-of'
import { createRoutes, route } from '@haat/kit/http/route'
import { pageOf, pageQuery, strict, uuidSchema, z } from '@haat/kit/http/schemas'
import { enumSchema, viewOf } from '@haat/kit/http/view'
import { Session } from '@haat/proto/auth/v1/auth'
import { Preference, SetPreferencesRequest, SubscribePushRequest } from '@haat/proto/notification/v1/notification'
import { Order, OrderStatus, OrderSummary } from '@haat/proto/order/v1/order'
import {
  CreateAddressRequest,
  Profile,
  SavedAddress,
  UpdateAddressRequest,
  UpdateProfileRequest,
} from '@haat/proto/profile/v1/profile'
import type { StorefrontContext } from '../context.ts'

const tags = ['me']
const profile = viewOf(Profile)
const address = viewOf(SavedAddress)
const order = viewOf(Order)
const orderSummary = viewOf(OrderSummary)
const session = viewOf(Session)
const preference = viewOf(Preference)
const preferences = z.object({ preferences: z.array(preference.schema) }).openapi('Preferences')
const addressId = z.object({ id: uuidSchema })

const getMe = route({ method: 'get', path: '/me', summary: 'My profile', tags, auth: 'user', response: profile.schema })
const patchMe = route({
  method: 'patch',
  path: '/me',
  summary: 'Change my profile',
  tags,
  auth: 'user',
  body: inputOf(UpdateProfileRequest),
  response: profile.schema,
})
const listAddresses = route({
  method: 'get',
  path: '/me/addresses',
  summary: 'My addresses',
  tags,
  auth: 'user',
  response: z.object({ items: z.array(address.schema) }).openapi('Addresses'),
})
const createAddress = route({
  method: 'post',
  path: '/me/addresses',
  summary: 'Add an address',
  tags,
  auth: 'user',
  status: 201,
  body: inputOf(CreateAddressRequest),
  response: address.schema,
})
const updateAddress = route({
  method: 'patch',
  path: '/me/addresses/{id}',
  summary: 'Change an address',
  tags,
  auth: 'user',
  params: addressId,
  body: inputOf(UpdateAddressRequest, { omit: ['addressId'] }),
  response: address.schema,
})
const deleteAddress = route({
  method: 'delete',
  path: '/me/addresses/{id}',
  summary: 'Delete an address',
  tags,
  auth: 'user',
  params: addressId,
})
const setDefault = route({
  method: 'post',
  path: '/me/addresses/{id}/default',
  summary: 'Make an address the default one',
  tags,
  auth: 'user',
  params: addressId,
  response: address.schema,
})
const listOrders = route({
  method: 'get',
  path: '/me/orders',
  summary: 'My orders, newest first',
  tags,
  auth: 'user',
  query: z.object({ ...pageQuery, status: enumSchema(OrderStatus).optional() }),
  response: pageOf(orderSummary.schema),
})
const listSessions = route({
  method: 'get',
  path: '/me/sessions',
  summary: 'Where I am signed in',
  tags,
  auth: 'user',
  query: z.object(pageQuery),
  response: pageOf(session.schema),
})
const revokeSession = route({
  method: 'delete',
  path: '/me/sessions/{id}',
  summary: 'Sign out somewhere else',
  tags,
  auth: 'user',
  params: z.object({ id: uuidSchema }),
})
const getPreferences = route({
  method: 'get',
  path: '/me/notifications',
  summary: 'What I want to be told, and how',
  tags,
  auth: 'user',
  response: preferences,
})
const putPreferences = route({
  method: 'put',
  path: '/me/notifications',
  summary: 'Choose what I want to be told',
  tags,
  auth: 'user',
  body: inputOf(SetPreferencesRequest),
  response: preferences,
})
const subscribePush = route({
  method: 'post',
  path: '/me/push',
  summary: 'Receive push messages in this browser',
  tags,
  auth: 'user',
  body: inputOf(SubscribePushRequest),
})
const unsubscribe = route({
  method: 'post',
  path: '/notifications/unsubscribe',
  summary: 'No more of these: the link of a mail, also for one-click unsubscription (RFC 8058)',
  tags: ['notifications'],
  auth: 'public',
  csrf: false,
  query: z.object({ token: z.string().min(1).max(512) }),
})
const exportMe = route({
  method: 'get',
  path: '/me/export',
  summary: 'Everything we know about me, as one JSON document',
  tags,
  auth: 'user',
  rateClass: 'export',
  contentType: 'application/json',
  timeoutMs: 30_000,
})
const forgetMe = route({
  method: 'delete',
  path: '/me',
  summary: 'Delete me: personal data is blanked everywhere, orders stay for the books',
  tags,
  auth: 'user',
  body: strict({ confirm: z.literal(true) }),
})

export function meRoutes(ctx: StorefrontContext) {
  return createRoutes()
    .openapi(getMe, async (c) => c.json(profile.toJson((await ctx.profile.getProfile({})).profile!), 200))
    .openapi(patchMe, async (c) =>
      c.json(profile.toJson((await ctx.profile.updateProfile(c.req.valid('json'))).profile!), 200),
    )
    .openapi(listAddresses, async (c) => {
      const { addresses } = await ctx.profile.listAddresses({})
      return c.json({ items: addresses.map(address.toJson) }, 200)
    })
    .openapi(createAddress, async (c) =>
      c.json(address.toJson((await ctx.profile.createAddress(c.req.valid('json'))).address!), 201),
    )
    .openapi(updateAddress, async (c) => {
      const answer = await ctx.profile.updateAddress({ ...c.req.valid('json'), addressId: c.req.valid('param').id })
      return c.json(address.toJson(answer.address!), 200)
    })
    .openapi(deleteAddress, async (c) => {
      await ctx.profile.deleteAddress({ addressId: c.req.valid('param').id })
      return c.body(null, 204)
    })
    .openapi(setDefault, async (c) => {
      const answer = await ctx.profile.setDefaultAddress({ addressId: c.req.valid('param').id })
      return c.json(address.toJson(answer.address!), 200)
    })
    .openapi(listOrders, async (c) => {
      const { page_size, page_token, status } = c.req.valid('query')
      const { orders, nextPageToken } = await ctx.order.listMyOrderSummaries({
        pageSize: page_size,
        pageToken: page_token,
        ...(status ? { status } : {}),
      })
      return c.json({ items: orders.map(orderSummary.toJson), nextPageToken }, 200)
    })
    .openapi(listSessions, async (c) => {
      const { page_size, page_token } = c.req.valid('query')
      const { sessions, nextPageToken } = await ctx.auth.listSessions({ pageSize: page_size, pageToken: page_token })
      return c.json({ items: sessions.map(session.toJson), nextPageToken }, 200)
    })
    .openapi(revokeSession, async (c) => {
      await ctx.auth.revokeSession({ sessionId: c.req.valid('param').id })
      return c.body(null, 204)
    })
    .openapi(getPreferences, async (c) => {
      const answer = await ctx.notification.getPreferences({})
      return c.json({ preferences: answer.preferences.map(preference.toJson) }, 200)
    })
    .openapi(putPreferences, async (c) => {
      const answer = await ctx.notification.setPreferences(c.req.valid('json'))
      return c.json({ preferences: answer.preferences.map(preference.toJson) }, 200)
    })
    .openapi(subscribePush, async (c) => {
      await ctx.notification.subscribePush(c.req.valid('json'))
      return c.body(null, 204)
    })
    .openapi(unsubscribe, async (c) => {
      await ctx.notification.unsubscribe(c.req.valid('query'))
      return c.body(null, 204)
    })
    .openapi(exportMe, async (c) => {
      const [{ json }, me, orders, reviews, wishes, { cart }] = await Promise.all([
        ctx.profile.exportMyData({}),
        ctx.auth.getMe({}),
        everyPage(
          (pageToken) => ctx.order.listMyOrders({ pageSize: 100, pageToken }),
          (page) => page.orders,
        ),
        everyPage(
          (pageToken) => ctx.review.listMyReviews({ pageSize: 100, pageToken }),
          (page) => page.reviews,
        ),
        ctx.notification.getPreferences({}),
        ctx.cart.getCart({}),
      ])
      const document = {
        profile: JSON.parse(Buffer.from(json).toString('utf8')) as unknown,
        account: { email: me.user?.email, createdAt: me.user?.createdAt },
        orders: orders.map(order.toJson),
        reviews: reviews.map(({ title, body, rating, productId, createdAt }) => ({
          title,
          body,
          rating,
          productId,
          createdAt,
        })),
        preferences: wishes.preferences.map(preference.toJson),
        cart: (cart?.items ?? []).map(({ sku, qty, title }) => ({ sku, qty, title })),
      }
      c.header('Content-Disposition', 'attachment; filename="my-data.json"')
      return c.body(JSON.stringify(document, null, 2), 200, { 'Content-Type': 'application/json' })
    })
    .openapi(forgetMe, async (c) => {
      await ctx.profile.forgetMe({ confirm: true })
      await ctx.sessions.destroy(c)
      return c.body(null, 204)
    })
}

async function everyPage<Page extends { nextPageToken: string }, Item>(
  load: (pageToken: string) => Promise<Page>,
  items: (page: Page) => Item[],
): Promise<Item[]> {
  const all: Item[] = []
  let token = ''
  do {
    const page = await load(token)
    all.push(...items(page))
    token = page.nextPageToken
  } while (token)
  return all
}
