import type { Devnet } from '../../devnet.ts'
import { aName, anEmail, aPhone, type createCanaries } from './canaries.ts'
import type { People } from './story.ts'

type Plant = ReturnType<typeof createCanaries>['plant']
type Refusal = { what: string; status: number; body: string }

/** Requests that are refused and that all carry personal data; answers what they were told. */
export async function beRefused(place: Pick<Devnet, 'urls'>, people: People, plant: Plant): Promise<Refusal[]> {
  const { storefront, vendor } = place.urls
  const { buyer, owner } = people
  const word = (what: string) => plant(`${what} that is refused`, aName())
  const ask = async (what: string, method: string, url: string, body: unknown, token?: string): Promise<Refusal> => {
    const answer = await fetch(url, {
      method,
      headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    return { what, status: answer.status, body: await answer.text() }
  }
  const mine = buyer.identity.token!
  const theirs = owner.identity.token!
  const shop = `${vendor}/v1/vendors/${owner.vendorId}`
  return [
    await ask('an e-mail that is taken', 'POST', `${storefront}/v1/auth/register`, {
      email: buyer.email,
      password: 'correct-horse-battery',
      name: word('a name'),
    }),
    await ask('a wrong password', 'POST', `${storefront}/v1/auth/login`, {
      email: buyer.email,
      password: word('a password'),
    }),
    await ask('an unknown e-mail', 'POST', `${storefront}/v1/auth/login`, {
      email: plant('an e-mail that is refused', anEmail()),
      password: 'correct-horse-battery',
    }),
    await ask(
      'a bad profile',
      'PATCH',
      `${storefront}/v1/me`,
      {
        phone: `${plant('a phone that is refused', aPhone())}x`,
        dob: word('a date of birth'),
        name: word('a name').repeat(20),
      },
      mine,
    ),
    await ask(
      'a bad address',
      'POST',
      `${storefront}/v1/me/addresses`,
      {
        label: word('a label'),
        address: {
          name: word('a name in an address'),
          line1: word('a line'),
          city: word('a city'),
          country: 'Nowhere',
        },
      },
      mine,
    ),
    await ask('an unknown field', 'PATCH', `${storefront}/v1/me`, { nickname: word('a value') }, mine),
    await ask('broken JSON', 'PATCH', `${storefront}/v1/me`, `{"name": "${word('broken JSON')}`, mine),
    await ask(
      'a bad order',
      'POST',
      `${storefront}/v1/orders`,
      {
        shippingAddress: { name: word('a name in an order'), line1: word('a line in an order'), country: 'BD' },
        email: word('an e-mail in an order'),
        deliveries: [],
        paymentProvider: 'stripe',
      },
      mine,
    ),
    await ask('an order that is not there', 'GET', `${storefront}/v1/orders/NO-SUCH-ORDER`, undefined, mine),
    await ask(
      'a bad IBAN',
      'POST',
      `${shop}/bank`,
      {
        accountHolder: word('an account holder'),
        iban: `DE00${word('an IBAN').toUpperCase()}12345`,
        bankName: 'Demo Bank',
        country: 'DE',
      },
      theirs,
    ),
    await ask(
      'an unknown colleague',
      'POST',
      `${shop}/members`,
      {
        email: plant('an e-mail of nobody', anEmail()),
        permissions: ['orders.read'],
      },
      theirs,
    ),
    await ask(
      'a bad contact',
      'PATCH',
      shop,
      { supportEmail: word('a contact'), supportPhone: word('a contact phone') },
      theirs,
    ),
  ]
}
