/** 한국어 */
import type { Words } from '.';
import { admin } from './ko/admin';
import { chat } from './ko/chat';
import { home } from './ko/home';
import { jobs } from './ko/jobs';
import { markdown } from './ko/markdown';
import { models } from './ko/models';
import { runs } from './ko/runs';

export const ko: Words = {
  admin,
  chat,
  home,
  jobs,
  markdown,
  models,
  runs,
  shell: {
    home: '홈',
    chat: '대화',
    models: '모델',
    runs: '학습 실행',
    admin: '설정',
    views: '화면 목록',
    menu: '메뉴',
    overlays: '대화 상자와 도움말',
    skip: '본문으로 건너뛰기',
    language: '언어',
    light: '밝은 색',
    dark: '어두운 색',
    notFound: '여기에는 아무것도 없습니다',
    notFoundHint: '주소가 잘못되었거나 가리키던 것이 삭제되었을 수 있습니다.',
    broken: '이 화면이 멈추었습니다',
    again: '다시 시도',
    unreachable: '스튜디오가 응답하지 않습니다',
    unreachableHint: '시작하는 중이거나 종료되었을 수 있습니다. 이 화면이 자동으로 다시 시도합니다.',
  },
};
