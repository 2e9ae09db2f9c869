FROM debian:12
WORKDIR /halftone
COPY scripts/install-dependencies scripts/packages.txt scripts/
RUN scripts/install-dependencies
COPY . .
RUN scripts/build release -DHALFTONE_TESTS=OFF
ENTRYPOINT ["/halftone/build/bin/halftone"]
CMD ["--help"]
