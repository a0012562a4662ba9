/** What a variant is asked when it is scored, or when its board is looked at. */
import { NO_SAMPLES, type Samples } from './SamplesInput';

export interface Material {
  samples: Samples;
  /** A set of the studio that is asked instead. */
  dataId: string | null;
  /** Null where nobody wants to know what was forgotten. */
  general: Samples | null;
}

export const NO_MATERIAL: Material = { samples: NO_SAMPLES, dataId: null, general: null };

export const isComplete = ({ samples, dataId, general }: Material): boolean =>
  (dataId !== null || samples.text.trim() !== '') && (general === null || general.text.trim() !== '');

/** As the studio takes it. */
export const askedOf = ({ samples, dataId, general }: Material) => ({
  samples: dataId === null ? samples.text : '',
  data_id: dataId,
  general: general?.text ?? '',
});
