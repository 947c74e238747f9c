import type { ADDRESS } from '../actors.ts'
import { createRandom } from './random.ts'

export const DEMO_PASSWORD = 'demo-market-2026'

/** The eight vendors of the demo marketplace; vendor1@haat.example owns the first. */
export const vendors = [
  { name: 'Sylhet Leaf', owner: 'Karim Uddin' },
  { name: 'Dhaka Loom', owner: 'Nasrin Akter' },
  { name: 'Old Town Kitchen', owner: 'Abdul Mannan' },
  { name: 'Meghna Electronics', owner: 'Shirin Sultana' },
  { name: 'Boi Ghar', owner: 'Anisul Haque' },
  { name: 'Rupsha Beauty', owner: 'Taslima Begum' },
  { name: 'Jessore Leather', owner: 'Rafiq Islam' },
  { name: 'Padma Garden', owner: 'Mita Rani Das' },
] as const

export const vendorLogin = (index: number) => ({ email: `vendor${index + 1}@haat.example`, password: DEMO_PASSWORD })

export const brands = [
  'Aarong Hill',
  'Bengal Craft',
  'Chandpur Mills',
  'Deshi Roots',
  'Everhaat',
  'Folk & Field',
  'Ganges Works',
  'Hilsa House',
  'Indigo Yard',
  'Jamuna Home',
  'Kantha Lane',
  'Lotus Pond',
]

const given = ['Rahima', 'Arif', 'Sadia', 'Tanvir', 'Farzana', 'Imran', 'Nusrat', 'Habib', 'Ruma', 'Jahid']
const family = ['Khatun', 'Hossain', 'Rahman', 'Chowdhury', 'Sarkar', 'Ahmed', 'Mia', 'Biswas']
const towns = [
  ['Dhaka', '1205'],
  ['Chattogram', '4000'],
  ['Sylhet', '3100'],
  ['Khulna', '9100'],
  ['Rajshahi', '6000'],
  ['Barishal', '8200'],
] as const
const streets = ['Green Road', 'Station Road', 'College Road', 'Lake Circus', 'New Market', 'River View']

export type Customer = { name: string; login: { email: string; password: string }; addresses: (typeof ADDRESS)[] }

/** The twenty customers of the demo marketplace, some with two addresses. */
export const customers: Customer[] = Array.from({ length: 20 }, (_, index) => {
  const random = createRandom('customer', index)
  const name = `${given[index % given.length]} ${family[(index * 3 + Math.floor(index / 10)) % family.length]}`
  return {
    name,
    login: { email: `customer${index + 1}@haat.example`, password: DEMO_PASSWORD },
    addresses: Array.from({ length: index % 3 === 0 ? 2 : 1 }, () => {
      const [city, postalCode] = random.pick(towns)
      return {
        name,
        line1: `${random.int(1, 90)} ${random.pick(streets)}`,
        city,
        postalCode,
        country: 'BD',
        phone: `+88017${String(random.int(10_000_000, 99_999_999))}`,
      }
    }),
  }
})
