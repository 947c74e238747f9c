const WIDTH = 30

/** A progress bar on a terminal; elsewhere a line for every tenth. */
export function createProgress(out: NodeJS.WriteStream = process.stdout) {
  let standing = ''
  let tenth = -1
  const end = () => {
    if (out.isTTY && standing) out.write('\n')
    standing = ''
    tenth = -1
  }
  const show = (what: string, done: number, all: number) => {
    if (standing !== what) end()
    standing = what
    const part = all === 0 ? 1 : done / all
    const full = Math.round(part * WIDTH)
    const text = `${what.padEnd(8)} [${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}] ${done}/${all}`
    if (out.isTTY) out.write(`\r${text}`)
    else if (Math.floor(part * 10) > tenth) {
      tenth = Math.floor(part * 10)
      out.write(`${text}\n`)
    }
  }
  return { show, end }
}
