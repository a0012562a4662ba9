import { describe, expect, it } from 'vitest';

import { charactersIn, unitsIn } from './places';

describe('places', () => {
  it.each(['', 'plain', '누리매 등대', '🐚', 'a🐚b🐚🐚c', '🐚a'])(
    'agrees with the characters of %s',
    (text) => {
      const characters = [...text];
      const units = unitsIn(text);
      expect(charactersIn(text)).toBe(characters.length);
      for (let at = 0; at <= characters.length; at += 1) {
        expect(units(at)).toBe(characters.slice(0, at).join('').length);
      }
    },
  );

  it('keeps within the text', () => {
    const units = unitsIn('🐚 shell');
    expect([units(-3), units(99)]).toEqual([0, 8]);
  });
});
