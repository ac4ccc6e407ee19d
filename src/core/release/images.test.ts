import { describe, expect, test } from 'vitest'
import { readImages } from './images.ts'

const digest = `sha256:${'a'.repeat(64)}`

describe('the images of a release', () => {
  test('are read from names and references, sorted', () => {
    expect(readImages(JSON.stringify({ web: `r.example/web@${digest}`, api: `api@${digest}` }))).toEqual({
      api: `api@${digest}`,
      web: `r.example/web@${digest}`,
    })
  })

  test('are read from what docker buildx bake writes', () => {
    const metadata = {
      'buildx.build.warnings': [],
      backend: {
        'containerimage.digest': digest,
        'image.name': 'localhost:5000/acme/backend:1.2,localhost:5000/acme/backend:latest',
      },
    }

    expect(readImages(JSON.stringify(metadata))).toEqual({ backend: `localhost:5000/acme/backend@${digest}` })
  })

  test.for([
    ['', 'it is not JSON'],
    ['[]', 'it is not a JSON object'],
    ['{}', 'it names no image'],
    ['{"web": 1}', '"web" names no image'],
    ['{"web": "web:latest"}', '"web" is web:latest, which is no image by digest'],
    [`{"web": "we b@${digest}"}`, 'no image by digest'],
    [`{"a b": "web@${digest}"}`, '"a b" is no name'],
  ])('%s is refused', ([text = '', problem = '']) => {
    expect(readImages(text)).toContain(problem)
  })
})
