import type { Words } from '..';

export const forecast: Words['forecast'] = {
  title: '예측',
  hint: '시작하기 전에 시간과 메모리를 봅니다. 이 컴퓨터는 몇 초 동안 측정하고, 다른 장치는 공개된 사양으로 계산합니다.',
  submit: '예측하기',
  outdated: '그 뒤로 레시피나 예시가 바뀌었습니다.',
  table: '장치별 시간과 메모리',
  device: '장치',
  here: '이 컴퓨터',
  precision: '정밀도',
  processor: '프로세서 시간',
  clock: '소요 시간',
  memory: '최대 메모리',
  of: (peak, capacity) => `${capacity} 중 ${peak}`,
  fits: '가능',
  tooLarge: '메모리 부족',
  days: (days) => `${days}일`,
  summary: (rows, steps, tokens) => `행 ${rows}개 · ${steps} 스텝 · 토큰 ${tokens}개`,
  long: (device, days) => `${device}: ${days}일 걸립니다.`,
  pretraining: (device, days) => `${device}: ${days}일. 튜닝이 아니라 사전 학습 규모입니다.`,
  oneDay: (some, rows) => `하루로는 ${rows}개 가운데 ${some}개 행까지 됩니다.`,
  wouldFit: (device) => `${device}에서 되는 설정`,
  leftOut: (rows) => `더 긴 ${rows}개 행은 제외`,
  take: '적용',
  ofEach: (runs) => `실행 ${runs}개가 저마다 이만큼 듭니다. 보드가 여럿이면 가장 무거운 것을 예측합니다.`,
  refused: (peak, capacity) =>
    `예측으로는 이 컴퓨터에서 안 됩니다. ${peak}가 필요하지만 ${capacity}뿐입니다.`,
  refusedHint:
    '되는 설정은 예측에 있습니다. 그래도 시작하면 메모리가 부족해 중단되거나 다른 작업까지 느려질 수 있습니다.',
  longHint:
    '행이나 에포크를 줄이거나 더 작은 베이스를 고르면 짧아집니다. 중간에 멈추었다가 이어 갈 수도 있습니다.',
  nothing: '어떤 레시피로도 안 됩니다. 더 작은 베이스가 필요합니다.',
};
