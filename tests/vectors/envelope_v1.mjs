// A second implementation of envelope v1, key wrap v1 and postings v1, written from docs/encryption.md alone with
// nothing but Node's own crypto. It made envelope_v1.json:  node tests/vectors/envelope_v1.mjs > envelope_v1.json
// Vectors are added, never edited: data sealed by an older release must open for ever.
import { createCipheriv, createHash, createHmac, hkdfSync } from 'node:crypto';

const hmac = (hash, key, ...parts) => createHmac(hash, key).update(Buffer.concat(parts)).digest();
const hkdf = (key, salt, info, length) => Buffer.from(hkdfSync('sha256', key, salt, info, length));
const u32 = (n) => { const b = Buffer.alloc(4); b.writeUInt32BE(n); return b; };
const u64 = (n) => { const b = Buffer.alloc(8); b.writeBigUInt64BE(BigInt(n)); return b; };
const ONE = Buffer.from([1]);
const filled = (seed, length) => createHash('shake256', { outputLength: length }).update(seed).digest();

function gcm(key, nonce, associated, plaintext) {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(associated);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function binding({ registry, person, record, category, version }) {
  const texts = [registry, person, record, category].map((t) => Buffer.from(t, 'utf8'));
  return Buffer.concat([ONE, ...texts.flatMap((t) => [u32(t.length), t]), u64(version)]);
}

function seal(key, nonce, place, plaintext) {
  const both = hkdf(key, '', 'registry/envelope/v1', 64);
  const framed = 4 + plaintext.length;
  const step = framed <= 512 ? 64 : 512;
  const frame = Buffer.alloc(Math.ceil(framed / step) * step);
  u32(plaintext.length).copy(frame);
  plaintext.copy(frame, 4);
  const commitment = hmac('sha256', both.subarray(32), ONE, nonce, place);
  return Buffer.concat([ONE, nonce, commitment, gcm(both.subarray(0, 32), nonce, Buffer.concat([ONE, place]), frame)]);
}

function wrap(kek, salt, context, key) {
  const both = hkdf(kek, salt, Buffer.concat([Buffer.from('registry/wrap/v1\0'), context]), 64);
  return Buffer.concat([ONE, salt, both.subarray(0, 32), gcm(both.subarray(32), Buffer.alloc(12), ONE, key)]);
}

function posting(indexKey, term, counter, payload) {
  const both = hmac('sha512', indexKey, Buffer.from('registry/postings/v1\0'), term);
  const [labelKey, valueKey] = [both.subarray(0, 32), both.subarray(32)];
  const n = u64(counter);
  const tag = hmac('sha256', valueKey, ONE, n, payload).subarray(0, 12);
  const mask = hmac('sha256', valueKey, Buffer.from([2]), n, tag).subarray(0, 20);
  const masked = Buffer.from(payload.map((byte, at) => byte ^ mask[at]));
  return { label: hmac('sha256', labelKey, n).subarray(0, 16), value: Buffer.concat([tag, masked]) };
}

const hex = (b) => Buffer.from(b).toString('hex');
const places = [
  { registry: 'a'.repeat(32), person: 'b'.repeat(32), record: 'c'.repeat(32), category: 'home_address', version: 1 },
  { registry: '', person: '', record: '', category: '', version: 0 },
  { registry: 'r', person: 'Zoë 王', record: '\u0000', category: 'school', version: '18446744073709551615' },
];
const lengths = [0, 1, 60, 61, 508, 509, 1020, 1021];
const envelope = lengths.map((length, at) => {
  const [key, nonce] = [filled(`key ${at}`, 32), filled(`nonce ${at}`, 12)];
  const [place, plaintext] = [places[at % 3], filled(`plaintext ${at}`, length)];
  const sealed = seal(key, nonce, binding(place), plaintext);
  return {
    key: hex(key), nonce: hex(nonce), place: { ...place, version: String(place.version) },
    binding: hex(binding(place)), plaintext: hex(plaintext), sealed: hex(sealed),
    digest: createHash('sha256').update(sealed).digest('hex'),
  };
});
const wraps = [[16, ''], [32, 'registry/data-key/v1'], [64, 'x'.repeat(100)]].map(([length, context], at) => {
  const [kek, salt, key] = [filled(`kek ${at}`, 32), filled(`salt ${at}`, 32), filled(`wrapped ${at}`, length)];
  return {
    kek: hex(kek), salt: hex(salt), context: hex(Buffer.from(context)), key: hex(key),
    wrapped: hex(wrap(kek, salt, Buffer.from(context), key)),
  };
});
const postings = [['', '0'], ['phone|P1|8165550100', '1'], ['smith', '18446744073709551615'], ['smith', '7']].map(
  ([term, counter], at) => {
    const indexKey = filled(`index ${at}`, 32);
    const payload = at === 3 ? Buffer.alloc(20) : filled(`payload ${at}`, 20);
    const { label, value } = posting(indexKey, Buffer.from(term), counter, payload);
    return { index_key: hex(indexKey), term: hex(Buffer.from(term)), counter, payload: hex(payload),
      label: hex(label), value: hex(value) };
  });
process.stdout.write(JSON.stringify({ envelope, wraps, postings }, null, 1) + '\n');
