import { connect } from 'node:net'
import { Redis } from 'ioredis'
import { MongoClient } from 'mongodb'
import pg from 'pg'
import { Connection } from 'rabbitmq-client'

const timeoutMs = 5_000

/** One attempt per store with the driver the services use: resolves when the store answers. */
export const probes = {
  async postgres(url: string): Promise<void> {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: timeoutMs })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query('SELECT 1')
    } finally {
      await client.end().catch(() => {})
    }
  },

  async mongo(url: string): Promise<void> {
    await listens(url, 27017)
    const client = new MongoClient(url, { serverSelectionTimeoutMS: timeoutMs })
    try {
      await client.db('admin').command({ ping: 1 })
    } finally {
      await client.close()
    }
  },

  async redis(url: string): Promise<void> {
    const client = new Redis(url, {
      lazyConnect: true,
      retryStrategy: () => null,
      connectTimeout: timeoutMs,
      maxRetriesPerRequest: 0,
    })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.ping()
    } finally {
      client.disconnect()
    }
  },

  async rabbitmq(url: string): Promise<void> {
    await listens(url, 5672)
    const connection = new Connection({ url, connectionTimeout: timeoutMs, retryLow: 60_000 })
    connection.on('error', () => {})
    try {
      await connection.onConnect(timeoutMs)
    } finally {
      await connection.close().catch(() => {})
    }
  },
}

// Drivers that retry by themselves are only asked once somebody listens. A cluster URL is left to its driver.
function listens(url: string, defaultPort: number): Promise<void> {
  if (!URL.canParse(url) || url.startsWith('mongodb+srv:')) return Promise.resolve()
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port || defaultPort), timeout: timeoutMs })
    socket.once('connect', () => {
      socket.destroy()
      resolve()
    })
    socket.once('timeout', () => socket.destroy(new Error(`no answer from ${hostname}`)))
    socket.once('error', reject)
  })
}
