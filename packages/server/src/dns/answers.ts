/** What the sockets of DNS are for, as a port: messages in, messages out. */

/** Answers messages. It never throws, nor rejects. */
export interface MessageAnswers {
  /** Undefined for a message that is met with silence; later where a long list has to be read first. */
  answer(
    message: Buffer,
    transport: 'udp' | 'tcp',
    peer: string | undefined,
  ): Buffer | undefined | Promise<Buffer | undefined>
}
