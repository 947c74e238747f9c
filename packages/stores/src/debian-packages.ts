import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, which } from './commands.ts'

/** An unpacked tree of Debian packages: nothing is installed, so no service is started or enabled and root is not needed. */
export type DebianTree = { root: string; env: NodeJS.ProcessEnv }

export const hasApt = (): boolean => which('apt-get') !== undefined && which('dpkg-deb') !== undefined

/** Downloads `packages` and what they need beyond the installed ones in one apt run, with lists of its own, once per `toolsDir`. */
export async function unpackDebianPackages(
  packages: string[],
  toolsDir: string,
  log: (line: string) => void,
): Promise<DebianTree> {
  const prefix = `${release()}-${process.arch}-`
  const target = join(toolsDir, prefix + packages.join('+'))
  const present = folders(toolsDir).find(
    (name) => name.startsWith(prefix) && isSubset(packages, name.slice(prefix.length).split('+')),
  )
  if (present) return tree(join(toolsDir, present, 'root'))
  log(
    `downloading the Debian packages ${packages.join(', ')} to ${target} (apt-get update, then download; nothing is installed)`,
  )
  const work = join(toolsDir, `unpacking-${process.pid}`)
  try {
    const lists = join(work, 'lists')
    const cache = join(work, 'cache')
    const debs = join(work, 'debs')
    const root = join(work, 'root')
    for (const folder of [join(lists, 'partial'), join(cache, 'archives', 'partial'), debs, root])
      mkdirSync(folder, { recursive: true })
    const options = [
      '-qq',
      '-o',
      `Dir::State::lists=${lists}`,
      '-o',
      `Dir::Cache=${cache}`,
      '-o',
      'APT::Sandbox::User=root',
      '-o',
      'Debug::NoLocking=1',
    ]
    await run('apt-get', [...options, 'update'])
    const plan = await run('apt-get', [
      ...options,
      '--print-uris',
      '--no-install-recommends',
      '-y',
      'install',
      ...packages,
    ])
    await run('apt-get', [...options, 'download', ...plan.split('\n').flatMap(packageOfUriLine)], { cwd: debs })
    for (const deb of readdirSync(debs)) await run('dpkg-deb', ['-x', join(debs, deb), root])
    relocateErlang(root)
    for (const folder of [lists, cache, debs]) rmSync(folder, { recursive: true })
    try {
      renameSync(work, target)
    } catch {
      // Another start was faster; its tree is as good.
    }
    return tree(join(target, 'root'))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

const isSubset = (names: string[], of: string[]): boolean => names.every((name) => of.includes(name))

// 'http://…' name_1%3a2.0-1_amd64.deb 1234 MD5Sum:…  →  name=1:2.0-1
function packageOfUriLine(line: string): string[] {
  const [name, version] = line.split(' ')[1]?.split('_') ?? []
  return name && version ? [`${name}=${decodeURIComponent(version)}`] : []
}

// Debian's erl names its folder absolutely.
function relocateErlang(root: string): void {
  const file = join(root, 'usr', 'lib', 'erlang', 'bin', 'erl')
  let script: string
  try {
    script = readFileSync(file, 'utf8')
  } catch {
    return
  }
  writeFileSync(
    file,
    script.replaceAll('ROOTDIR=/usr/lib/erlang', 'ROOTDIR=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)'),
  )
}

function tree(root: string): DebianTree {
  const libraries = ['usr/lib', 'lib'].flatMap((folder) =>
    folders(join(root, folder))
      .filter((name) => name.includes('-linux-'))
      .map((name) => join(root, folder, name)),
  )
  const join2 = (before: string[], after: string | undefined): string =>
    [...before, ...(after ? [after] : [])].join(':')
  return {
    root,
    env: {
      PATH: join2([join(root, 'usr', 'bin')], process.env.PATH),
      LD_LIBRARY_PATH: join2(libraries, process.env.LD_LIBRARY_PATH),
    },
  }
}

function folders(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function release(): string {
  const fields = new Map(
    readFileSync('/etc/os-release', 'utf8')
      .split('\n')
      .map((line) => line.split('=', 2) as [string, string]),
  )
  return [fields.get('ID'), fields.get('VERSION_ID')].map((field) => (field ?? 'unknown').replaceAll('"', '')).join('-')
}
