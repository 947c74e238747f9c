import { chown, copyFile, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createLog } from '@haat/kit/log'
import { BSON, openMongo } from '@haat/kit/mongo'
import { openPostgres, sql } from '@haat/kit/postgres'
import { servicesWith } from './invariants/databases.ts'

const log = createLog('backup', 'silent')
const SLOT = 'haat_backup'

/** What belongs to the running server only: it makes these anew. */
const OWN_TO_SERVER = new Set(['postmaster.pid', 'postmaster.opts', 'recovery.signal', 'standby.signal'])
const EMPTIED = new Set([
  'pg_wal',
  'pg_replslot',
  'pg_dynshmem',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
])

/**
 * A base backup of a running PostgreSQL cluster by its own means, as pg_basebackup makes one. From its beginning on, the server
 * keeps all of its log, which makes the copy whole and brings it forward to any later moment. Answers the data directory.
 */
export async function backUpPostgres(url: string, target: string): Promise<string> {
  const { db, close } = openPostgres<never>({ url, poolSize: 1, name: 'backup', log })
  try {
    return await db.connection().execute(async (session) => {
      const { rows } = await sql<{ data_directory: string }>`show data_directory`.execute(session)
      const source = rows[0]!.data_directory
      await sql`select pg_create_physical_replication_slot(${SLOT}, true)`.execute(session)
      await sql`select pg_backup_start('haat', true)`.execute(session)
      await copyCluster(source, target)
      const stop = await sql<{ labelfile: string; spcmapfile: string }>`select * from pg_backup_stop()`.execute(session)
      await writeFile(join(target, 'backup_label'), stop.rows[0]!.labelfile)
      return source
    })
  } finally {
    await close()
  }
}

/** The log of a server that is gone; pg_receivewal would have brought it here while the server lived. */
export const collectLog = (dataDirectory: string, target: string): Promise<void> =>
  cp(join(dataDirectory, 'pg_wal'), target, { recursive: true, filter: (path) => !path.endsWith('archive_status') })

/** Puts a base backup in the place of a stopped, empty cluster; at its next start it takes in the whole log. */
export async function restorePostgres(base: string, walFolder: string, dataDirectory: string): Promise<void> {
  const { uid, gid } = await stat(dataDirectory)
  for (const entry of await readdir(dataDirectory)) await rm(join(dataDirectory, entry), { recursive: true })
  await cp(base, dataDirectory, { recursive: true })
  // Beside the data, where the server's user can read it.
  const wal = `${dataDirectory}.wal`
  await cp(walFolder, wal, { recursive: true })
  const settings = join(dataDirectory, 'postgresql.auto.conf')
  await writeFile(settings, `${await readFile(settings, 'utf8')}restore_command = 'cp "${wal}/%f" "%p"'\n`)
  await writeFile(join(dataDirectory, 'recovery.signal'), '')
  for (const path of [dataDirectory, wal]) await giveTo(path, uid, gid)
}

async function copyCluster(source: string, target: string): Promise<void> {
  await mkdir(target, { recursive: true, mode: 0o700 })
  for (const entry of await readdir(source, { withFileTypes: true })) {
    const [from, to] = [join(source, entry.name), join(target, entry.name)]
    if (entry.isDirectory() && EMPTIED.has(entry.name)) await mkdir(to, { mode: 0o700 })
    else if (entry.isDirectory()) await copyCluster(from, to)
    // A file may go while it is being looked at; the log knows what was in it.
    else if (!OWN_TO_SERVER.has(entry.name)) await copyFile(from, to).catch(unlessGone)
  }
}

const unlessGone = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'ENOENT') throw error
}

async function giveTo(path: string, uid: number, gid: number): Promise<void> {
  await chown(path, uid, gid)
  for (const entry of await readdir(path, { recursive: true })) await chown(join(path, entry), uid, gid)
}

/** Writes every collection as mongodump does: one file of BSON documents each. */
export async function dumpMongo(url: string, target: string): Promise<void> {
  for (const service of servicesWith('mongo')) {
    const { db, close } = await openMongo({ url, database: `haat_${service}`, name: 'backup' })
    const folder = join(target, `haat_${service}`)
    await mkdir(folder, { recursive: true })
    for (const { name } of await db.listCollections().toArray()) {
      const documents = await db.collection(name).find({}, { raw: true }).toArray()
      await writeFile(join(folder, `${name}.bson`), Buffer.concat(documents as never as Buffer[]))
    }
    await close()
  }
}

/** Reads such files into empty databases; the services make the indexes when they start. */
export async function restoreMongo(source: string, url: string): Promise<void> {
  for (const database of await readdir(source)) {
    const { db, close } = await openMongo({ url, database, name: 'restore' })
    for (const file of await readdir(join(source, database))) {
      const documents = [...documentsOf(await readFile(join(source, database, file)))]
      if (documents.length) await db.collection(file.slice(0, -'.bson'.length)).insertMany(documents)
    }
    await close()
  }
}

/** Documents begin with their length. Their numbers stay what they are: nothing is turned into a number of JavaScript. */
function* documentsOf(bytes: Buffer) {
  for (let at = 0; at < bytes.length; at += bytes.readInt32LE(at))
    yield BSON.deserialize(bytes.subarray(at, at + bytes.readInt32LE(at)), {
      promoteValues: false,
      promoteLongs: false,
    })
}
