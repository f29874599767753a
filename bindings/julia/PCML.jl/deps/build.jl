# Remembers where the library is:
#
#     PCML_LIBRARY=/opt/pcml/lib/libpcml.so.0.1 julia -e 'using Pkg; Pkg.build("PCML")'
library = get(ENV, "PCML_LIBRARY", "")
isempty(library) || write(joinpath(@__DIR__, "library.txt"), abspath(library))
