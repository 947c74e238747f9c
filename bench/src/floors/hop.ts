// The second floor's front: a route that asks a neighbour over gRPC and answers what it said.
import { type InventoryServiceClient, InventoryServiceDefinition } from '@haat/proto/inventory/v1/inventory'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { createChannel, createClientFactory } from 'nice-grpc'

const [port, neighbour] = process.argv.slice(2)
const client = createClientFactory().create(
  InventoryServiceDefinition as never,
  createChannel(`127.0.0.1:${neighbour}`),
) as InventoryServiceClient
const app = new Hono()
app.get('/stock/:sku', async (c) => {
  const { stock } = await client.getStock({ sku: c.req.param('sku') })
  return c.json({ sku: stock!.sku, available: stock!.available })
})
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(port) }, () => process.send!('ready'))
