import type { Words } from '..';

export const curves: Pick<Words['runs'], 'figures' | 'chart' | 'curves' | 'discard'> = {
  figures: {
    step: '스텝',
    of: (step, total) => `${total} 중 ${step}`,
    epoch: '에포크',
    loss: '손실',
    heldOut: '평가용 손실',
    rate: '학습률',
    speed: '초당 토큰',
    memory: '메모리',
    left: '남은 시간',
    tokens: '학습한 토큰',
    took: '걸린 시간',
    samples: '예시',
    data: '데이터 지문',
    computed: '계산 방식',
  },
  chart: {
    title: '손실',
    summary: (name, first, last, steps) =>
      `${name}: 손실이 ${steps} 스텝 동안 ${first}에서 ${last}까지 변했습니다.`,
    unit: '토큰당 nat',
    none: '아직 첫 스텝을 마치지 않았습니다.',
    table: '숫자를 표로 보기',
    training: '학습하는 데이터',
    heldOut: '평가용 데이터',
  },
  curves: {
    title: '학습 과정',
    summary: (name, low, high, now) => `${name}: ${low}에서 ${high} 사이, 가장 최근 스텝에서 ${now}입니다.`,
    range: (low, high) => `${low} ~ ${high}`,
  },
  discard: {
    submit: '체크포인트 버리기',
    title: '이 실행을 이어 갈 수 없게 버릴까요?',
    hint: '체크포인트와 지금까지 학습한 것이 사라집니다. 데이터와 레시피, 그래프는 남으며 처음부터 다시 시작할 수 있습니다.',
  },
};
