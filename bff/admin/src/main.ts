import { run } from '@haat/kit/run'
import { loadConfig } from './config.ts'
import { startAdminBff } from './start.ts'

await run('bff-admin', loadConfig, startAdminBff)
