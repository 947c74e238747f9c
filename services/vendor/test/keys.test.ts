import { expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { createFieldCipher, parseKeys } from '../src/domain/field-cipher.ts'
import { IBAN, KEY_V1, KEY_V2, PDF, startHarness } from './harness.ts'

const rotated = createFieldCipher(parseKeys(`${KEY_V2},${KEY_V1}`))
let cipher = createFieldCipher(parseKeys(KEY_V1))
const h = await startHarness({
  overrides: {
    cipher: {
      get currentVersion() {
        return cipher.currentVersion
      },
      seal: (place, plain) => cipher.seal(place, plain),
      open: (place, sealed) => cipher.open(place, sealed),
    },
  },
})

test('after a rotation everything lies under the newest key, and the old one is not needed any more', async () => {
  const { client, vendorId } = await h.applied()
  const documents = await Promise.all(Array.from({ length: 20 }, () => h.addDocument(client, vendorId)))
  const account = await h.addAccount(client, vendorId)
  cipher = rotated
  expect((await h.reviewer.getKycDocumentContent({ documentId: documents[0]!.id })).content).toEqual(PDF)
  await h.service.service.runJob('rotate-keys')
  cipher = createFieldCipher(parseKeys(KEY_V2))
  for (const { id } of documents)
    expect((await h.reviewer.getKycDocumentContent({ documentId: id })).content).toEqual(PDF)
  const row = await h.db
    .selectFrom('vendor_bank_accounts')
    .selectAll()
    .where('id', '=', account.id)
    .executeTakeFirstOrThrow()
  expect(row.key_version).toBe('v2')
  const place = { table: 'vendor_bank_accounts', column: 'iban', rowId: account.id }
  expect(cipher.open(place, { keyVersion: 'v2', bytes: row.iban! }).toString()).toBe(IBAN)
})

test('a process without usable keys does not start, and its message repeats none', () => {
  const env = { POSTGRES_URL: 'x', RABBITMQ_URL: 'x', EVENT_SECRET: 'x'.repeat(32) }
  expect(() => loadConfig(env)).toThrow('BANK_KEYS')
  const secret = 'abcdef'.repeat(4)
  try {
    loadConfig({ ...env, BANK_KEYS: `v1:${secret}`, PAYOUT_MINIMUMS: 'BDT' })
    expect.unreachable()
  } catch (error) {
    expect((error as Error).message).toMatch(/BANK_KEYS: must be[\s\S]*PAYOUT_MINIMUMS: must be/)
    expect((error as Error).message).not.toContain(secret)
  }
})
