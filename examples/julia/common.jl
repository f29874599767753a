# What the examples share: claims, and the bits by which programs in several languages are compared.

failures = 0

function claim(holds, what)
    holds && return
    println(stderr, "does not hold: ", what)
    global failures += 1
end

larger(a, b) = a > b ? a : b

# Adds a field to the bits, for each value rotate left by one, then exclusive or: the last index fastest, as in C.
function mix(bits::UInt64, u)
    for value in PermutedDimsArray(u, ndims(u):-1:1)
        bits = (bits << 1 | bits >> 63) ⊻ reinterpret(UInt64, value)
    end
    return bits
end
