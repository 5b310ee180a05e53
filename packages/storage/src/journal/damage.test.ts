/** Changed, cut and missing files: what opens, what is refused, what a repair saves. */
import { HandClock } from '@rollcall/testkit/time'
import { NO_LOGGER, NO_METER, type Logger } from '@rollcall/core'
import { FaultyDisk } from '@rollcall/testkit'
import { describe, expect, it } from 'vitest'
import { encodeFileHeader, encodeFrame, FORMAT_VERSION, HEADER_BYTES } from './frames.js'
import { entryOf, goneOf, Memory, registerOf, settle } from './journal.fixture.js'
import { openJournal } from './journal.js'
import { repairJournal } from './repair.js'
import { verifyJournal } from './verify.js'

const LOG_1 = '/data/journal-1.log'
const FRAME_MAGIC = Buffer.from([0xff, 0x52, 0x43, 0x46])
const MARK = '/data/journal.mark'

async function write(disk: FaultyDisk, frames: number, rotateBytesMin = 1e9): Promise<void> {
  const memory = new Memory()
  const { journal, recovered } = await openJournal(
    {
      disk,
      clock: new HandClock(),
      logger: NO_LOGGER,
      meter: NO_METER,
      snapshotSource: () => memory.entries(),
    },
    { directory: '/data', rotateBytesMin },
  )
  for (const entry of recovered.entries) memory.apply(entry)
  for (let version = 1; version <= frames; version++) {
    const entries = [entryOf(version, version), goneOf(version + 100, version)]
    for (const entry of entries) memory.apply(entry)
    await journal.append(entries)
    await settle()
  }
  await journal.close()
}

async function read(disk: FaultyDisk, warned: string[] = []): Promise<{ memory: Memory; tornBytes: number }> {
  const logger: Logger = {
    ...NO_LOGGER,
    warn: (fields) => void warned.push(JSON.stringify(fields)),
    error: (fields) => void warned.push(JSON.stringify(fields)),
  }
  const { journal, recovered } = await openJournal(
    { disk, clock: new HandClock(), logger, meter: NO_METER, snapshotSource: () => [] },
    { directory: '/data' },
  )
  const memory = Memory.of(recovered.entries)
  await journal.close()
  return { memory, tornBytes: recovered.tornBytes }
}

function changed(disk: FaultyDisk, path: string, change: (content: Buffer) => Uint8Array): FaultyDisk {
  const copy = disk.copy()
  copy.place(path, change(disk.content(path)))
  return copy
}

/** As `write`, but the process died before it could note how far the log went. */
async function writeAndDie(disk: FaultyDisk, frames: number): Promise<void> {
  await write(disk, frames)
  disk.take(MARK)
}

async function expectRefused(disk: FaultyDisk, file: string, kind = 'damaged'): Promise<void> {
  const before = disk.paths().map((path) => [path, disk.content(path).toString('hex')])
  await expect(read(disk)).rejects.toMatchObject({
    name: 'JournalError',
    kind,
    file,
    message: expect.stringContaining(file),
  })
  expect(
    disk.paths().map((path) => [path, disk.content(path).toString('hex')]),
    'a refusal changes nothing',
  ).toEqual(before)
}

describe('changed bytes', () => {
  it('every single changed byte of a log is refused by name, in the last frame too', async () => {
    expect.hasAssertions()
    const disk = new FaultyDisk()
    await write(disk, 3)
    const length = disk.content(LOG_1).length
    for (let offset = 0; offset < length; offset++) {
      // One flipped bit, all bits, and the value that looks most like an unfinished write: zero.
      for (const value of [(byte: number) => byte ^ 1, (byte: number) => byte ^ 0xff, () => 0]) {
        const before = disk.content(LOG_1)[offset] ?? 0
        if (value(before) === before) continue
        await expectRefused(
          changed(disk, LOG_1, (content) => (content.writeUInt8(value(before), offset), content)),
          'journal-1.log',
        )
      }
    }
  })

  it('every single changed byte of a snapshot is refused by name', async () => {
    expect.hasAssertions()
    const disk = new FaultyDisk()
    await write(disk, 6, 1_500)
    const path = disk.paths().find((each) => each.endsWith('.snap')) ?? ''
    const length = disk.content(path).length
    expect(length).toBeGreaterThan(500)
    for (let offset = 0; offset < length; offset++) {
      await expectRefused(
        changed(
          disk,
          path,
          (content) => (content.writeUInt8((content[offset] ?? 0) ^ 0x10, offset), content),
        ),
        path.slice(6),
      )
    }
  })
})

describe('unfinished writes', () => {
  it('a log cut off anywhere after its header opens with the frames before the cut, and says how much it cut', async () => {
    const disk = new FaultyDisk()
    await writeAndDie(disk, 3)
    const whole = disk.content(LOG_1)
    const second = whole.indexOf(FRAME_MAGIC, HEADER_BYTES + 1)
    const third = whole.indexOf(FRAME_MAGIC, second + 1)
    for (let length = HEADER_BYTES; length < whole.length; length++) {
      const warned: string[] = []
      const cut = changed(disk, LOG_1, (content) => content.subarray(0, length))
      const { memory, tornBytes } = await read(cut, warned)
      const frames = length < second ? 0 : length < third ? 1 : 2
      expect([1, 2, 3].map((index) => memory.revOf(index))).toEqual(
        [1, 2, 3].map((index) => (index <= frames ? index : undefined)),
      )
      const end = [HEADER_BYTES, second, third][frames] ?? 0
      expect(tornBytes).toBe(length - end)
      expect(warned.length).toBe(tornBytes === 0 ? 0 : 1)
      expect(cut.content(LOG_1).length).toBe(end)
    }
  })

  it('zeros after the end, as of a file that grew before its content arrived, are cut', async () => {
    const disk = new FaultyDisk()
    await writeAndDie(disk, 2)
    for (const zeros of [1, 31, 32, 500, 5_000]) {
      const { memory, tornBytes } = await read(
        changed(disk, LOG_1, (content) => Buffer.concat([content, Buffer.alloc(zeros)])),
      )
      expect(tornBytes).toBe(zeros)
      expect(memory.revOf(2)).toBe(2)
    }
  })

  it('a last frame with a missing sector is cut, one with a missing sector and a good frame behind it is refused', async () => {
    const large = (index: number): Buffer =>
      encodeFrame({ file: 1, index, count: 0, end: false }, `[[]${' '.repeat(3_000)}]`)
    const header = encodeFileHeader({ kind: 'log', number: 1, sealed: 0 })
    const holed = large(0)
    holed.fill(0, 1_024 - HEADER_BYTES, 1_536 - HEADER_BYTES)
    const disk = new FaultyDisk()
    disk.place(LOG_1, Buffer.concat([header, holed]))
    expect((await read(disk.copy())).tornBytes).toBe(holed.length)
    disk.place(LOG_1, Buffer.concat([header, holed, large(1)]))
    await expectRefused(disk, 'journal-1.log')
  })

  it('a log without a frame between two good ones is refused', async () => {
    expect.hasAssertions()
    const frame = (index: number): Buffer => encodeFrame({ file: 1, index, count: 0, end: false }, '[[]]')
    const disk = new FaultyDisk()
    const header = encodeFileHeader({ kind: 'log', number: 1, sealed: 0 })
    disk.place(LOG_1, Buffer.concat([header, frame(0), frame(2)]))
    await expectRefused(disk, 'journal-1.log')
  })

  it('text that looks like a frame inside metadata does not confuse recovery', async () => {
    const inner = encodeFrame({ file: 1, index: 0, count: 0, end: false }, '[]').toString('latin1')
    const disk = new FaultyDisk()
    const { journal } = await openJournal(
      { disk, clock: new HandClock(), logger: NO_LOGGER, meter: NO_METER, snapshotSource: () => [] },
      { directory: '/data' },
    )
    await journal.append([
      {
        kind: 'service',
        namespace: 'default',
        service: 'web',
        register: registerOf({ metadata: { inner } }),
      },
    ])
    await journal.close()
    disk.take(MARK)
    const cut = changed(disk, LOG_1, (content) => content.subarray(0, content.length - 1))
    expect((await read(cut)).tornBytes).toBeGreaterThan(0)
  })
})

describe('chains of files', () => {
  async function chainOfTwoLogs(): Promise<FaultyDisk> {
    const disk = new FaultyDisk()
    await write(disk, 2)
    const length = disk.content(LOG_1).length
    const frame = encodeFrame({ file: 2, index: 0, count: 0, end: false }, '[[]]')
    disk.place(
      '/data/journal-2.log',
      Buffer.concat([encodeFileHeader({ kind: 'log', number: 2, sealed: length }), frame]),
    )
    return disk
  }

  it('what lies beyond the sealed length of an older log does not count; less than that is refused', async () => {
    const disk = await chainOfTwoLogs()
    expect((await read(disk.copy())).memory.revOf(2)).toBe(2)
    const longer = changed(disk, LOG_1, (content) =>
      Buffer.concat([content, content.subarray(HEADER_BYTES, HEADER_BYTES + 50)]),
    )
    expect((await read(longer)).memory.revOf(2)).toBe(2)
    await expectRefused(
      changed(disk, LOG_1, (content) => content.subarray(0, content.length - 1)),
      'journal-1.log',
    )
  })

  it('a hole at the end of a sealed log is refused: that write was finished', async () => {
    expect.hasAssertions()
    const disk = new FaultyDisk()
    const header = encodeFileHeader({ kind: 'log', number: 1, sealed: 0 })
    const holed = encodeFrame({ file: 1, index: 0, count: 0, end: false }, `[[]${' '.repeat(3_000)}]`)
    holed.fill(0, 1_024 - HEADER_BYTES, 1_536 - HEADER_BYTES)
    const log = Buffer.concat([header, holed])
    disk.place(LOG_1, log)
    disk.place('/data/journal-2.log', encodeFileHeader({ kind: 'log', number: 2, sealed: log.length }))
    await expectRefused(disk, 'journal-1.log')
  })

  it('a missing log, and a missing snapshot, are refused by name', async () => {
    expect.hasAssertions()
    const disk = await chainOfTwoLogs()
    disk.place(
      '/data/journal-3.log',
      encodeFileHeader({ kind: 'log', number: 3, sealed: disk.content('/data/journal-2.log').length }),
    )
    const without = disk.copy()
    without.take('/data/journal-2.log')
    await expectRefused(without, 'journal-2.log', 'missing')
    disk.take(LOG_1)
    await expectRefused(disk, 'snapshot-2.snap', 'missing')
  })

  it('a bad newest snapshot falls back to the complete chain before it, and only to a complete one', async () => {
    const disk = await chainOfTwoLogs()
    disk.place(
      '/data/snapshot-2.snap',
      Buffer.concat([encodeFileHeader({ kind: 'snapshot', number: 2, sealed: 0 })]),
    )
    const warned: string[] = []
    const report = await verifyJournal(disk, '/data')
    expect(report).toMatchObject({ opens: true, entries: 4 })
    expect(report.files.find((file) => file.name === 'snapshot-2.snap')).toMatchObject({ role: 'replaced' })
    expect((await read(disk.copy(), warned)).memory.revOf(2)).toBe(2)
    expect(warned.join()).toContain('snapshot-2.snap')
    disk.take(LOG_1)
    await expectRefused(disk, 'snapshot-2.snap')
  })

  it('files of a newer version are refused, not repaired', async () => {
    const disk = new FaultyDisk()
    disk.place(LOG_1, encodeFileHeader({ kind: 'log', number: 1, sealed: 0 }, FORMAT_VERSION + 1))
    await expectRefused(disk, 'journal-1.log', 'unknown-version')
    await expect(repairJournal(disk, '/data')).rejects.toMatchObject({ kind: 'unknown-version' })
  })

  it.each([
    [
      'with frames',
      '[[["default","web","default","a",1,"up",0,"10.0.0.1",80,null,1,null,{},1000,"lease",null,true,null,"0","up",1,"n",0,"registered",null,33554431]]]',
    ],
    ['empty', undefined],
  ])('a log of version 1, %s, is read and gets no new entries', async (_, text) => {
    const disk = new FaultyDisk()
    const frames = text === undefined ? [] : [encodeFrame({ file: 1, index: 0, count: 1, end: false }, text)]
    const old = Buffer.concat([encodeFileHeader({ kind: 'log', number: 1, sealed: 0 }, 1), ...frames])
    disk.place(LOG_1, old)
    await write(disk, 2)
    const now = disk.paths().filter((path) => path.endsWith('.log'))
    expect(now).toEqual(text === undefined ? [LOG_1] : [LOG_1, '/data/journal-2.log'])
    if (text !== undefined) expect(disk.content(LOG_1)).toEqual(old)
    for (const path of now.slice(text === undefined ? 0 : 1))
      expect(disk.content(path).readUInt16LE(8)).toBe(FORMAT_VERSION)
    const { memory } = await read(disk)
    expect(memory.revOf(2)).toBe(2)
    expect([...memory.entries()]).toHaveLength(text === undefined ? 4 : 5)
  })
})

describe('verify and repair', () => {
  it('a sound journal verifies and is left alone', async () => {
    const disk = new FaultyDisk()
    await write(disk, 3)
    const report = await verifyJournal(disk, '/data')
    expect(report).toMatchObject({ opens: true, entries: 6, refusal: undefined })
    expect(report.files).toMatchObject([
      { name: 'journal-1.log', frames: 3, entries: 6, role: 'current', problems: [] },
      { name: 'journal.mark', entries: 0, role: 'watermark', problems: [] },
    ])
    expect(await repairJournal(disk, '/data')).toMatchObject({ needed: false, dropped: [], written: [] })
  })

  it('says what is damaged, what it would drop, and then drops exactly that and keeps the originals', async () => {
    const disk = new FaultyDisk()
    await write(disk, 4)
    const second = disk.content(LOG_1).indexOf(FRAME_MAGIC, HEADER_BYTES + 1)
    const bad = changed(
      disk,
      LOG_1,
      (content) => (content.writeUInt8(0x41, second + HEADER_BYTES + 5), content),
    )
    expect(await verifyJournal(bad, '/data')).toMatchObject({
      opens: false,
      refusal: expect.stringContaining('journal-1.log'),
    })
    const original = bad.content(LOG_1)
    const planned = await repairJournal(bad, '/data', { dryRun: true })
    expect(bad.paths()).toEqual([LOG_1, MARK])
    const done = await repairJournal(bad, '/data')
    expect(done).toEqual({ ...planned, dryRun: false })
    expect(done).toMatchObject({
      needed: true,
      keptEntries: 6,
      dropped: [{ file: 'journal-1.log', offset: second }],
    })
    expect(bad.content(`${LOG_1}.damaged`)).toEqual(original)
    const { memory } = await read(bad)
    expect([1, 2, 3, 4].map((index) => memory.revOf(index))).toEqual([1, undefined, 3, 4])
    expect(await verifyJournal(bad, '/data')).toMatchObject({ opens: true, entries: 6 })
  })

  it('whatever is broken, and wherever the repair is interrupted, a repair ends in a journal that opens', async () => {
    const disk = new FaultyDisk()
    await write(disk, 6, 1_500)
    for (const path of disk.paths()) {
      const length = disk.content(path).length
      for (let offset = 0; offset < length; offset += 61) {
        const bad = changed(
          disk,
          path,
          (content) => (content.writeUInt8((content[offset] ?? 0) ^ 4, offset), content),
        )
        bad.fault = ({ index }) => (index === offset % 14 ? 'crash' : undefined)
        await Promise.race([repairJournal(bad, '/data').catch(() => undefined), settle()])
        const rest = bad.crash(() => (offset % 7) / 7)
        await repairJournal(rest, '/data')
        expect(await verifyJournal(rest, '/data')).toMatchObject({ opens: true })
        await read(rest)
      }
    }
  })

  it('content that no version wrote is found although its checksum is right', async () => {
    const header = encodeFileHeader({ kind: 'log', number: 1, sealed: 0 })
    const frame = encodeFrame({ file: 1, index: 0, count: 1, end: false }, '[[["x",2147483647]]]')
    const disk = new FaultyDisk()
    disk.place(LOG_1, Buffer.concat([header, frame]))
    expect(await verifyJournal(disk, '/data')).toMatchObject({ opens: false, entries: 0 })
    await expect(read(disk.copy())).rejects.toMatchObject({ kind: 'damaged', file: 'journal-1.log' })
    expect(await repairJournal(disk, '/data')).toMatchObject({ needed: true, keptEntries: 0 })
    expect(await verifyJournal(disk, '/data')).toMatchObject({ opens: true })
  })

  it('a directory without a journal needs nothing', async () => {
    expect(await verifyJournal(new FaultyDisk(), '/data')).toMatchObject({
      opens: true,
      files: [],
      entries: 0,
    })
    expect(await repairJournal(new FaultyDisk(), '/data')).toMatchObject({ needed: false })
  })

  it('a missing log is named among what is lost', async () => {
    const disk = new FaultyDisk()
    await write(disk, 2)
    disk.place('/data/journal-3.log', encodeFileHeader({ kind: 'log', number: 3, sealed: 999 }))
    const { dropped } = await repairJournal(disk, '/data')
    expect(dropped).toMatchObject([{ file: 'journal-2.log', why: 'the file is missing' }])
    expect((await read(disk)).memory.revOf(2)).toBe(2)
  })
})
