// Writes generated events as JSON Lines, the same ones for the same numbers, whatever the piece.
//
//     generate TABLE FIRST COUNT ids|noids FILE
//
// TABLE holds a line "code CODE" for each party and "kind TYPE [SUBTYPE]" for each kind, as often as
// it is to come up. An event is about 450 bytes: one actor, one target, a day of forty years, an author
// of twenty, a tag that all have and one that a quarter has. One in 50,000 has the author "auditor",
// another one in 50,000 the tag "seldom".
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;

static uint64_t chance(uint64_t below) {  // splitmix64
  uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return (z ^ z >> 31) % below;
}

static char codes[64][16], types[4096][32], subtypes[4096][48];
static int code_count, kind_count;

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: generate TABLE FIRST COUNT ids|noids FILE\n");
    return 2;
  }
  FILE *table = fopen(argv[1], "r"), *out = fopen(argv[5], "w");
  if (!table || !out) {
    perror("generate");
    return 1;
  }
  static char line[256];
  while (fgets(line, sizeof line, table)) {
    if (code_count < 64 && sscanf(line, "code %15s", codes[code_count]) == 1) {
      code_count++;
    } else if (kind_count < 4096 && sscanf(line, "kind %31s %47s", types[kind_count], subtypes[kind_count]) >= 1) {
      kind_count++;
    }
  }
  static char buffer[1 << 20];
  setvbuf(out, buffer, _IOFBF, sizeof buffer);
  long first = atol(argv[2]), count = atol(argv[3]);
  for (long number = first; number < first + count; number++) {
    state = (uint64_t)number * 0xd1342543de82ef95 + 7;
    int actor = chance(code_count), target = chance(code_count - 1), kind = chance(kind_count);
    if (target >= actor) target++;
    int year = 1985 + chance(41), month = 1 + chance(12), day = 1 + chance(28);
    int author = chance(20), quarter = !chance(4);
    fputc('{', out);
    if (!strcmp(argv[4], "ids")) fprintf(out, "\"id\":\"bench-%ld\",", number);
    fprintf(out, "\"type\":\"%s\",", types[kind]);
    if (subtypes[kind][0]) fprintf(out, "\"subtype\":\"%s\",", subtypes[kind]);
    fprintf(out, "\"date\":\"%04d-%02d-%02d\",\"actors\":[\"%s\"],\"targets\":[\"%s\"],", year, month, day,
            codes[actor], codes[target]);
    if (number % 50000 == 77) {
      fputs("\"author\":\"auditor\",", out);
    } else {
      fprintf(out, "\"author\":\"officer-%02d\",", author);
    }
    fprintf(out, "\"title\":\"Generated event %ld\",\"summary\":\"", number);
    for (int i = 0; i < 3; i++) fputs("Words that fill the line to the size of a real event. ", out);
    fprintf(out, "\",\"sources\":[{\"title\":\"Generator\",\"publisher\":\"scripts/bench\"}],\"tags\":[\"bench\"%s%s]}\n",
            quarter ? ",\"often\"" : "", number % 50000 == 4077 ? ",\"seldom\"" : "");
  }
  if (fclose(out)) {
    perror(argv[5]);
    return 1;
  }
  return 0;
}
