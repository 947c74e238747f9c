import { job } from '@haat/kit/jobs'
import type { VendorContext } from '../context.ts'
import { numberPlace } from '../db/bank-accounts.ts'
import { contentPlace } from '../db/documents.ts'

const BATCH = 50

/** Encrypts what an older key still holds under the newest one; an older key may leave BANK_KEYS once this has run. */
export const rotateKeys = job<VendorContext>('rotate-keys', {
  everySeconds: 3_600,
  leader: true,
  async run(ctx, call) {
    for (const rotate of [rotateAccounts, rotateDocuments])
      for (let moved = BATCH; moved === BATCH && !call.signal.aborted; ) moved = await rotate(ctx)
  },
})

async function rotateAccounts({ db, cipher }: VendorContext): Promise<number> {
  return db.transaction().execute(async (tx) => {
    const rows = await tx
      .selectFrom('vendor_bank_accounts')
      .select(['id', 'is_iban', 'account_no', 'iban', 'key_version'])
      .where('key_version', '<>', cipher.currentVersion)
      .where((eb) => eb.or([eb('account_no', 'is not', null), eb('iban', 'is not', null)]))
      .limit(BATCH)
      .forUpdate()
      .skipLocked()
      .execute()
    for (const row of rows) {
      const place = numberPlace(row.id, row.is_iban)
      const bytes = (row.is_iban ? row.iban : row.account_no)!
      const sealed = cipher.seal(place, cipher.open(place, { keyVersion: row.key_version, bytes }))
      await tx
        .updateTable('vendor_bank_accounts')
        .set({ [place.column]: sealed.bytes, key_version: sealed.keyVersion })
        .where('id', '=', row.id)
        .execute()
    }
    return rows.length
  })
}

async function rotateDocuments({ db, cipher }: VendorContext): Promise<number> {
  return db.transaction().execute(async (tx) => {
    const rows = await tx
      .selectFrom('vendor_kyc_contents')
      .selectAll()
      .where('key_version', '<>', cipher.currentVersion)
      .limit(BATCH)
      .forUpdate()
      .skipLocked()
      .execute()
    for (const row of rows) {
      const place = contentPlace(row.document_id)
      const sealed = cipher.seal(place, cipher.open(place, { keyVersion: row.key_version, bytes: row.content }))
      await tx
        .updateTable('vendor_kyc_contents')
        .set({ content: sealed.bytes, key_version: sealed.keyVersion })
        .where('document_id', '=', row.document_id)
        .execute()
    }
    return rows.length
  })
}
